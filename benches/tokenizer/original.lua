-- Measures the Lua tokenizer of an original mysql-proxy. Called by run.py:
--
--   lua5.1 original.lua QUERIES ROUNDS SECONDS
--
-- QUERIES is a file with one query per line. Where the modules are say LUA_PATH and LUA_CPATH. Prints one line per
-- task: its name and the MB/s (10^6 bytes, CPU time) of the best round.

local tokenizer = require("proxy.tokenizer")

local file, rounds, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3])

local tasks = {
	{ "tokenize", function(sql) return tokenizer.tokenize(sql) end },
	{ "visit", function(sql)
		local tokens = tokenizer.tokenize(sql)
		local text, id
		for i = 1, #tokens do
			local token = tokens[i]
			text, id = token.text, token.token_id
		end
		return text, id
	end },
	{ "normalize", function(sql) return tokenizer.normalize(tokenizer.tokenize(sql)) end },
}

local queries, bytes = {}, 0
for sql in io.lines(file) do
	queries[#queries + 1] = sql
	bytes = bytes + #sql
end

for _, task in ipairs(tasks) do
	local name, work = task[1], task[2]
	local best = 0
	for _ = 1, rounds do
		collectgarbage()
		local done, start, spent = 0, os.clock(), 0
		while spent < seconds do
			for i = 1, #queries do
				work(queries[i])
			end
			done = done + bytes
			spent = os.clock() - start
		end
		best = math.max(best, done / spent / 1e6)
	end
	print(name, string.format("%.3f", best))
end
