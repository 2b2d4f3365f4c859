"""Several proxies behind HAProxy, under load, while one dies, one is drained and one is added: docs/scaling.md."""
