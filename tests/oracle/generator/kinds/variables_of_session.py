"""Session variables that clients set, with values; what they mean is seen in answers, or at least in their values."""

from __future__ import annotations

from ..dialect import Dialect

__all__ = ["names", "values"]

_COMMON: dict[str, tuple[str, ...]] = {
    "sql_mode": (
        "''",
        "'ANSI_QUOTES'",
        "'STRICT_ALL_TABLES'",
        "'PIPES_AS_CONCAT,STRICT_TRANS_TABLES'",
        "'NO_BACKSLASH_ESCAPES'",
        "'ANSI'",
        "'TRADITIONAL'",
        "'ONLY_FULL_GROUP_BY'",
        "'HIGH_NOT_PRECEDENCE'",
        "'NO_UNSIGNED_SUBTRACTION,IGNORE_SPACE'",
        "CONCAT(@@sql_mode, ',ANSI_QUOTES')",
        "''",
    ),
    "time_zone": ("'+00:00'", "'+05:30'", "'-11:00'", "SYSTEM"),
    "lc_time_names": ("'de_DE'", "'fr_FR'", "'en_US'"),
    "div_precision_increment": ("0", "2", "8"),
    "group_concat_max_len": ("4", "8", "100"),
    "sql_select_limit": ("1", "2", "DEFAULT"),
    "sql_safe_updates": ("1", "0", "ON"),
    "sql_auto_is_null": ("1", "0"),
    "sql_notes": ("0", "1"),
    "sql_warnings": ("1", "0"),
    "sql_quote_show_create": ("0", "1"),
    "sql_big_selects": ("1", "0"),
    "foreign_key_checks": ("0", "1", "OFF"),
    "unique_checks": ("0", "1"),
    "auto_increment_increment": ("1", "5"),
    "auto_increment_offset": ("1", "3"),
    "timestamp": ("1234567890", "1500000000.25", "DEFAULT"),
    "last_insert_id": ("91", "92"),
    "identity": ("93",),
    "insert_id": ("601", "602"),
    "wait_timeout": ("1000", "2000", "DEFAULT"),
    "net_write_timeout": ("70", "80"),
    "max_error_count": ("1", "2", "64", "DEFAULT"),
    "default_storage_engine": ("InnoDB", "DEFAULT"),
    "character_set_client": ("latin1", "utf8mb4"),
    "character_set_results": ("latin1", "utf8mb4", "NULL", "binary"),
    "character_set_connection": ("latin1", "utf8mb4"),
    "collation_connection": ("latin1_german2_ci", "utf8mb4_bin", "utf8mb4_unicode_ci"),
    "default_week_format": ("0", "3", "6"),
    "max_sort_length": ("8", "1024"),
    "sort_buffer_size": ("65536", "DEFAULT"),
    "optimizer_switch": ("'index_merge=off'", "'mrr=on,mrr_cost_based=off'", "DEFAULT"),
    "optimizer_search_depth": ("0", "5"),
    "lock_wait_timeout": ("1", "2"),
    "innodb_lock_wait_timeout": ("1", "2"),
    "completion_type": ("0", "1", "CHAIN", "NO_CHAIN"),
    "low_priority_updates": ("1", "0"),
    "updatable_views_with_limit": ("0", "1"),
    "long_query_time": ("5", "7.5"),
    "profiling": ("0",),
    "tmp_table_size": ("32768", "DEFAULT"),
    "big_tables": ("0",),
    "default_tmp_storage_engine": ("InnoDB",),
}
_MARIADB: dict[str, tuple[str, ...]] = {
    "max_statement_time": ("30", "40.5", "DEFAULT"),
    "sql_if_exists": ("1", "0"),
    "old_mode": ("''", "'NO_PROGRESS_INFO'"),
    "query_cache_type": ("0",),
    "column_compression_threshold": ("100", "200"),
    "expensive_subquery_limit": ("50", "100"),
    "join_cache_level": ("2", "4"),
    "standard_compliant_cte": ("0", "1"),
}
_MYSQL: dict[str, tuple[str, ...]] = {
    "max_execution_time": ("30000", "0"),
    "sql_require_primary_key": ("0", "1"),
    "cte_max_recursion_depth": ("500", "1000"),
    "windowing_use_high_precision": ("0", "1"),
    "print_identified_with_as_hex": ("0", "1"),
    "block_encryption_mode": ("'aes-256-cbc'", "'aes-128-ecb'"),
    "explicit_defaults_for_timestamp": ("1",),
    "show_create_table_verbosity": ("0", "1"),
    "sql_generate_invisible_primary_key": ("0",),
    "regexp_time_limit": ("32", "64"),
}
# They have no value that stays: asking for it tells nothing, or something else.
_NOT_ASKED = frozenset(("timestamp", "identity", "default_tmp_storage_engine"))
_NOT_OF_MARIADB = frozenset(("default_tmp_storage_engine",))


def values(dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Variables with values as they are written."""
    if dialect.is_mysql:
        return {**_COMMON, **_MYSQL}
    return {k: v for k, v in {**_COMMON, **_MARIADB}.items() if k not in _NOT_OF_MARIADB}


def names(dialect: Dialect) -> list[str]:
    """Variables whose values can be compared."""
    own = [name for name in values(dialect) if name not in _NOT_ASKED]
    return [*own, "autocommit", dialect.isolation, dialect.read_only]
