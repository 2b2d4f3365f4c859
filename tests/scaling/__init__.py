"""Several proxies behind HAProxy, under load, while one dies, one is drained, one added and one taken over: docs/scaling.md."""
