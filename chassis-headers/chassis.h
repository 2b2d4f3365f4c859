/* The host process. */
#pragma once

typedef struct lua_scope lua_scope;
typedef struct chassis_log chassis_log;
typedef struct chassis_stats_t chassis_stats_t;
typedef struct chassis_event_threads_t chassis_event_threads_t;
typedef struct chassis_shutdown_hooks_t chassis_shutdown_hooks_t;
typedef struct chassis_private chassis_private;
typedef struct chassis chassis;
struct event_base;

/* The MySQL part of the host object. */
struct chassis_private {
    GPtrArray *cons; /* every connection and listener */
    lua_scope *sc;   /* the Lua state and the mutex around all callbacks */
    network_backends_t *backends;
};

struct chassis {
    struct event_base *event_base; /* of the main thread; set before apply_config */
    gchar *event_hdr_version;      /* libevent version the host was compiled with */
    GPtrArray *modules;            /* of chassis_plugin*, in load order */
    gchar *base_dir;
    gchar *user;
    chassis_private *priv;
    void (*priv_shutdown)(chassis *chas, chassis_private *priv);
    void (*priv_free)(chassis *chas, chassis_private *priv);
    chassis_log *log;
    chassis_stats_t *stats;
    gint event_thread_count;
    chassis_event_threads_t *threads;
    chassis_shutdown_hooks_t *shutdown_hooks;
};

typedef gboolean fn_chassis_is_shutdown(void);
typedef void fn_chassis_set_shutdown_location(const gchar *where);

/* Locks and unlocks the mutex around all callbacks; from any thread, not recursive. The text says where, for a debug log. */
typedef void fn_lua_scope_get(lua_scope *sc, const char *where);
typedef void fn_lua_scope_release(lua_scope *sc, const char *where);
