//! The scripts that a variant may run, in Python and in Lua.

/// The script that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// None at all.
    None,
    /// A `read_query` hook that returns nothing.
    EmptyReadQuery,
    /// The same as an `async def` that awaits nothing; Python alone has it.
    AsyncReadQuery,
    /// An `async def` that sleeps 5 s for one query and returns at once for any other; Python alone has it.
    SleepForOne,
    /// Each query is queued and its result kept; nobody looks at it.
    KeepRows,
    /// As above, and `read_query_result` goes through all rows.
    IterateRows,
}

/// The statement for which [`Script::SleepForOne`] sleeps.
pub const SLEEPING_QUERY: &str = "SELECT sleeping";

const PYTHON_KEEP: &str = "\
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
";

const PYTHON_ITERATE: &str = "
def read_query_result(proxy, inj):
    length = 0
    for row in inj.resultset.rows:
        length += len(row[2])
";

const LUA_KEEP: &str = "\
function read_query(packet)
  if packet:byte() == proxy.COM_QUERY then
    proxy.queries:append(1, packet, { resultset_is_needed = true })
    return proxy.PROXY_SEND_QUERY
  end
end
";

const LUA_ITERATE: &str = "
function read_query_result(inj)
  local length = 0
  for row in inj.resultset.rows do
    length = length + #row[3]
  end
end
";

/// Without this hook the Lua plugin never sends a result that it kept.
const LUA_SEND: &str = "
function read_query_result(inj)
end
";

impl Script {
    /// Its source for the plugin of this project.
    pub fn python(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::EmptyReadQuery => Some("def read_query(proxy, packet):\n    pass\n".to_owned()),
            Self::AsyncReadQuery => {
                Some("async def read_query(proxy, packet):\n    pass\n".to_owned())
            }
            Self::SleepForOne => Some(format!(
                "import asyncio\n\nasync def read_query(proxy, packet):\n    \
                 if packet[1:] == b'{SLEEPING_QUERY}':\n        await asyncio.sleep(5)\n"
            )),
            Self::KeepRows => Some(PYTHON_KEEP.to_owned()),
            Self::IterateRows => Some(format!("{PYTHON_KEEP}{PYTHON_ITERATE}")),
        }
    }

    /// Its source for the Lua plugin.
    ///
    /// # Panics
    /// If Lua has no such script.
    pub fn lua(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::EmptyReadQuery => Some("function read_query(packet)\nend\n".to_owned()),
            Self::AsyncReadQuery | Self::SleepForOne => panic!("{self:?}: Lua hooks do not wait"),
            Self::KeepRows => Some(format!("{LUA_KEEP}{LUA_SEND}")),
            Self::IterateRows => Some(format!("{LUA_KEEP}{LUA_ITERATE}")),
        }
    }
}
