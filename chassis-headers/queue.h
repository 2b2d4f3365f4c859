/* Packet queues: a chunk of a receive or send queue is one framed packet (4-byte header + payload). */
#pragma once

typedef struct network_queue {
    GQueue *chunks; /* of GString*, owned */
    size_t len;     /* bytes to send; of no meaning on a receive queue */
    size_t offset;  /* bytes of the head chunk that were already sent */
} network_queue;

/* Takes the chunk and adds its length; no check of any kind. */
typedef int fn_network_queue_append(network_queue *queue, GString *chunk);
