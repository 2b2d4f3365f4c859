/* Network addresses: "host:port", "[v6]:port" or a unix socket path, resolved. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* One end of a socket. Allocated by network_address_new only. */
typedef struct network_address {
    union {
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un un;
        struct sockaddr common;
    } addr;
    GString *name;              /* printable form, owned */
    socklen_t len;              /* used bytes of addr */
    gboolean can_unlink_socket; /* a bound unix path, removed when the address is freed */
} network_address;

typedef network_address *fn_network_address_new(void);
typedef void fn_network_address_free(network_address *addr);
/* 0, or -1 when the text cannot be resolved. Blocks for the look-up; only for a fresh object. */
typedef gint fn_network_address_set_address(network_address *addr, const gchar *address);
/* dst may be NULL: a new object. */
typedef network_address *fn_network_address_copy(network_address *dst, network_address *src);
