"""Hooks of the client matrix: every query waits, and is then run by the hook itself."""

import asyncio


async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        await asyncio.sleep(0)
        return await proxy.query(packet)
