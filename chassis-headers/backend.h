/* Backends: the database servers a plugin may connect to. */
#pragma once

typedef enum {
    BACKEND_STATE_UNKNOWN = 0,
    BACKEND_STATE_UP = 1,
    BACKEND_STATE_DOWN = 2,
} backend_state_t;

typedef enum {
    BACKEND_TYPE_UNKNOWN = 0,
    BACKEND_TYPE_RW = 1,
    BACKEND_TYPE_RO = 2,
} backend_type_t;

/* The host's pool of idle connections; not used by pyproxy. */
typedef struct network_connection_pool network_connection_pool;

typedef struct network_backend_t {
    network_address *addr;
    backend_state_t state;
    backend_type_t type;
    GTimeVal state_since; /* when state last changed */
    network_connection_pool *pool;
    guint connected_clients; /* kept by plugins */
    GString *uuid;           /* for scripts */
} network_backend_t;

typedef struct network_backends_t {
    GPtrArray *backends; /* of network_backend_t* */
    GMutex *backends_mutex;
    GTimeVal backend_last_check;
} network_backends_t;

typedef network_backends_t *fn_network_backends_new(void);
typedef void fn_network_backends_free(network_backends_t *backends);
/* -1: the address does not resolve, or its name is in the list already. */
typedef int fn_network_backends_add(network_backends_t *backends, gchar *address, backend_type_t type);
/* Borrowed, valid until the list is freed; NULL when out of range. */
typedef network_backend_t *fn_network_backends_get(network_backends_t *backends, guint ndx);
typedef guint fn_network_backends_count(network_backends_t *backends);
/* At most once a second: a backend that was DOWN for more than four seconds becomes UNKNOWN. */
typedef int fn_network_backends_check(network_backends_t *backends);
