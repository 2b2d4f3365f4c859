/* Entry header for bindgen: the part of the mysql-proxy 0.8.3-0.8.5 ABI that pyproxy relies on.
 *
 * Nothing here is copied from the host. The declarations in chassis-headers/ state binary-interface facts
 * (names, layouts, signatures) in our own words; crates/chassis-sys asserts every offset at compile time. */
#include "../chassis-headers/glib-types.h"
#include "../chassis-headers/address.h"
#include "../chassis-headers/queue.h"
#include "../chassis-headers/auth.h"
#include "../chassis-headers/socket.h"
#include "../chassis-headers/backend.h"
#include "../chassis-headers/chassis.h"
#include "../chassis-headers/con.h"
#include "../chassis-headers/plugin.h"
#include "../chassis-headers/event.h"
