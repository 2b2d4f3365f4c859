/* What a socket learned from a handshake or a login. pyproxy keeps its own copies: opaque here. */
#pragma once

typedef struct network_mysqld_auth_challenge network_mysqld_auth_challenge;
typedef struct network_mysqld_auth_response network_mysqld_auth_response;

/* Only looked up to tell the ABI family: added in 0.8.3. */
typedef network_mysqld_auth_challenge *fn_network_mysqld_auth_challenge_copy(network_mysqld_auth_challenge *src);
