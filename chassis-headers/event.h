/* The libevent functions that exist alike in 1.4, 2.0 and 2.1. struct event stays opaque. */
#pragma once

#define EV_READ 0x02
#define EV_PERSIST 0x10

typedef void fn_event_callback(int fd, short events, void *arg);

typedef void fn_event_set(struct event *ev, int fd, short events, fn_event_callback *callback, void *arg);
typedef int fn_event_base_set(struct event_base *base, struct event *ev);
typedef int fn_event_add(struct event *ev, const struct timeval *timeout);
typedef const char *fn_event_get_version(void);
/* Since 2.0; absent in 1.4. */
typedef size_t fn_event_get_struct_event_size(void);
