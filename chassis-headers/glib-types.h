/* GLib types that cross the boundary. Declared only, never defined: the Rust side takes them from glib-sys. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>

typedef char gchar;
typedef int gint;
typedef int gboolean;
typedef unsigned int guint;
typedef uint8_t guint8;
typedef uint16_t guint16;
typedef uint32_t guint32;
typedef void *gpointer;

typedef struct _GString GString;
typedef struct _GQueue GQueue;
typedef struct _GPtrArray GPtrArray;
typedef struct _GHashTable GHashTable;
typedef struct _GOptionEntry GOptionEntry;
typedef struct _GMutex GMutex;

/* Opaque to plugins. */
typedef struct _GModule GModule;

typedef struct _GTimeVal {
    long tv_sec;
    long tv_usec;
} GTimeVal;
