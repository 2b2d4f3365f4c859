/* network_socket embeds libevent's `struct event`, whose size E differs between libevent series: the struct is
 * declared as the part before it and the part behind it. The tail starts at 8 + E. */
#pragma once

struct event;
struct chassis;

/* One socket. Allocated by network_socket_new only. What follows `fd` (at offset 8) is `struct event`. */
typedef struct network_socket {
    int fd; /* -1: not open */
} network_socket;

typedef struct network_socket_tail {
    network_address *src;        /* peer of a client, local end of a server connection */
    network_address *dst;        /* local end of a client, backend of a server connection */
    int socket_type;             /* SOCK_STREAM */
    guint8 last_packet_id;       /* sequence id of the last packet read or queued */
    gboolean packet_id_is_reset; /* the next packet may carry any id */
    network_queue *recv_queue;
    network_queue *recv_queue_raw;
    network_queue *send_queue;
    off_t header_read;
    off_t to_read; /* bytes the next read step may take */
    network_mysqld_auth_challenge *challenge;
    network_mysqld_auth_response *response;
    gboolean is_authed;
    GString *default_db;
} network_socket_tail;

typedef enum {
    NETWORK_SOCKET_SUCCESS = 0,
    NETWORK_SOCKET_WAIT_FOR_EVENT = 1,
    NETWORK_SOCKET_ERROR = 2,
    NETWORK_SOCKET_ERROR_RETRY = 3,
} network_socket_retval_t;

typedef network_socket *fn_network_socket_new(void);
/* Frees queues and addresses, removes a bound event, closes the fd. */
typedef void fn_network_socket_free(network_socket *sock);
/* socket, bind and listen on dst. */
typedef network_socket_retval_t fn_network_socket_bind(network_socket *sock);
/* Non-blocking connect to dst: SUCCESS, ERROR_RETRY (in progress) or ERROR. */
typedef network_socket_retval_t fn_network_socket_connect(network_socket *sock);
/* After the socket became writable: SUCCESS, or ERROR/ERROR_RETRY when the connect failed. */
typedef network_socket_retval_t fn_network_socket_connect_finish(network_socket *sock);

/* Takes a framed packet and repairs its id. -1 (packet not taken) unless `queue` is one of the socket's two.
 * Asserts that the packet is whole. */
typedef int fn_network_mysqld_queue_append_raw(network_socket *sock, network_queue *queue, GString *packet);
/* Copies a payload, frames it, splits it at 0xffffff bytes, numbers the packets. */
typedef int fn_network_mysqld_queue_append(network_socket *sock, network_queue *queue, const char *data, size_t len);
/* The next packet starts a new exchange. */
typedef int fn_network_mysqld_queue_reset(network_socket *sock);

/* Writes the whole send queue: SUCCESS (empty now), WAIT_FOR_EVENT or ERROR. */
typedef network_socket_retval_t fn_network_mysqld_write(struct chassis *chas, network_socket *sock);
