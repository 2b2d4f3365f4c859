/* A connection (client and server socket) or a listener, and the state machine that drives it. */
#pragma once

typedef enum {
    CON_STATE_INIT = 0,
    CON_STATE_CONNECT_SERVER = 1,
    CON_STATE_READ_HANDSHAKE = 2,
    CON_STATE_SEND_HANDSHAKE = 3,
    CON_STATE_READ_AUTH = 4,
    CON_STATE_SEND_AUTH = 5,
    CON_STATE_READ_AUTH_RESULT = 6,
    CON_STATE_SEND_AUTH_RESULT = 7,
    CON_STATE_READ_AUTH_OLD_PASSWORD = 8,
    CON_STATE_SEND_AUTH_OLD_PASSWORD = 9,
    CON_STATE_READ_QUERY = 10,
    CON_STATE_SEND_QUERY = 11,
    CON_STATE_READ_QUERY_RESULT = 12,
    CON_STATE_SEND_QUERY_RESULT = 13,
    CON_STATE_CLOSE_CLIENT = 14,
    CON_STATE_SEND_ERROR = 15,
    CON_STATE_ERROR = 16,
    CON_STATE_CLOSE_SERVER = 17,
    CON_STATE_READ_LOCAL_INFILE_DATA = 18,
    CON_STATE_SEND_LOCAL_INFILE_DATA = 19,
    CON_STATE_READ_LOCAL_INFILE_RESULT = 20,
    CON_STATE_SEND_LOCAL_INFILE_RESULT = 21,
} network_mysqld_con_state_t;

typedef struct network_mysqld_con network_mysqld_con;
typedef struct chassis_plugin_config chassis_plugin_config;
typedef struct chassis_timestamps_t chassis_timestamps_t;

/* One callback of the state machine; always called with the host's global mutex held. */
typedef network_socket_retval_t (*network_mysqld_hook)(chassis *chas, network_mysqld_con *con);

typedef struct network_mysqld_hooks {
    network_mysqld_hook con_init;
    network_mysqld_hook con_connect_server;
    network_mysqld_hook con_read_handshake;
    network_mysqld_hook con_send_handshake;
    network_mysqld_hook con_read_auth;
    network_mysqld_hook con_send_auth;
    network_mysqld_hook con_read_auth_result;
    network_mysqld_hook con_send_auth_result;
    network_mysqld_hook con_read_query;
    network_mysqld_hook con_read_query_result;
    network_mysqld_hook con_send_query_result;
    network_mysqld_hook con_timer_elapsed;            /* never called */
    network_mysqld_hook con_cleanup;
    network_mysqld_hook con_read_local_infile_data;
    network_mysqld_hook con_send_local_infile_data;   /* never called */
    network_mysqld_hook con_read_local_infile_result;
    network_mysqld_hook con_send_local_infile_result;
    network_mysqld_hook con_read_auth_old_password;
    network_mysqld_hook con_send_auth_old_password;   /* never called */
    network_mysqld_hook con_timeout;
} network_mysqld_hooks;

/* What the host tracks of the current command. command is -1 when nothing is tracked. */
typedef struct network_mysqld_con_parse {
    int command;
    gpointer data;
    void (*data_free)(gpointer data);
} network_mysqld_con_parse;

struct network_mysqld_con {
    network_mysqld_con_state_t state;
    network_socket *server; /* of a listener: the listening socket */
    network_socket *client; /* NULL on a listener */
    network_mysqld_hooks plugins;
    chassis_plugin_config *config;
    chassis *srv;
    int is_listen_socket;
    guint8 auth_result_state; /* first byte of the server's answer to the login; 0 at the start */
    GString *auth_switch_to_method;
    GString *auth_switch_to_data;
    guint32 auth_switch_to_round;
    gboolean auth_next_packet_is_from_server;
    gboolean resultset_is_needed;
    gboolean resultset_is_finished;
    gboolean com_quit_seen;
    gboolean local_file_data_is_finished;
    network_mysqld_con_parse parse;
    void *plugin_con_state; /* the plugin's own, never touched by the host */
    chassis_timestamps_t *timestamps;
    struct timeval connect_timeout;
    struct timeval read_timeout;
    struct timeval write_timeout;
};

typedef network_mysqld_con *fn_network_mysqld_con_new(void);
typedef void fn_network_mysqld_con_free(network_mysqld_con *con);
/* Registers a listener; the host owns it from then on. */
typedef void fn_network_mysqld_add_connection(chassis *chas, network_mysqld_con *con);
/* The libevent callback of a listener. */
typedef void fn_network_mysqld_con_accept(int fd, short events, void *listen_con);
/* Forgets the tracked command and frees its data; due before each injected command. */
typedef void fn_network_mysqld_con_reset_command_response_state(network_mysqld_con *con);
