/* The table a plugin fills in plugin_init(). */
#pragma once

#define CHASSIS_PLUGIN_MAGIC 0x00080001L

typedef struct chassis_plugin_stats_t chassis_plugin_stats_t;

typedef struct chassis_plugin {
    long magic;
    gchar *option_grp_name; /* host-owned */
    gchar *name;            /* g_malloc memory, freed by the host */
    gchar *version;         /* likewise; required */
    GModule *module;
    chassis_plugin_stats_t *stats;
    chassis_plugin_stats_t *(*new_stats)(void);
    void (*free_stats)(chassis_plugin_stats_t *stats);
    GHashTable *(*get_stats)(chassis_plugin_stats_t *stats);
    chassis_plugin_config *config;
    chassis_plugin_config *(*init)(void);
    void (*destroy)(chassis_plugin_config *config);
    GOptionEntry *(*get_options)(chassis_plugin_config *config);
    int (*apply_config)(chassis *chas, chassis_plugin_config *config);
    void *(*get_global_state)(chassis_plugin_config *config, const char *member);
} chassis_plugin;

/* By plugin->name; borrowed; NULL when absent. */
typedef chassis_plugin *fn_chassis_plugin_for_name(chassis *chas, gchar *name);
/* Only looked up to tell the ABI family: added in 0.8.1 and 0.8.3. */
typedef void fn_chassis_shutdown_hooks_register(void);
typedef void fn_chassis_event_add_with_timeout(chassis *chas, struct event *ev, struct timeval *timeout);
