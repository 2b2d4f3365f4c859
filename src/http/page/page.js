// The page of the HTTP endpoint: asks the API once a second and shows what it says.
// Texts of others (users, databases, queries) become text nodes, never HTML.
"use strict";

const MINUTES = 5;
const SHOWN = 200;
const TOP = 20;
const FINGERPRINT = 240;
const element = (id) => document.getElementById(id);

async function ask(path) {
    const answer = await fetch("api/v1/" + path, { cache: "no-store" });
    if (!answer.ok) {
        throw new Error("the proxy answers " + answer.status);
    }
    return answer.json();
}

function show(id, text) {
    element(id).textContent = text;
}

function count(number) {
    return number === null ? "–" : number.toLocaleString("en-US", { maximumFractionDigits: number < 10 ? 1 : 0 });
}

function time(seconds) {
    if (seconds === null) {
        return "–";
    }
    if (seconds >= 120) {
        const minutes = Math.floor(seconds / 60);
        return minutes < 120 ? minutes + " min" : Math.floor(minutes / 60) + " h";
    }
    return seconds >= 1 ? seconds.toFixed(1) + " s" : (seconds * 1000).toPrecision(2) * 1 + " ms";
}

/// The time that this part of them took at most, in seconds: between the bounds of a bucket as if they were spread evenly.
function quantile(part, bounds, counts) {
    const all = counts.reduce((sum, own) => sum + own, 0);
    if (all === 0) {
        return null;
    }
    let before = 0;
    for (let i = 0; i < counts.length; i += 1) {
        if (before + counts[i] >= part * all && counts[i] > 0) {
            const low = i === 0 ? 0 : bounds[i - 1];
            const high = i < bounds.length ? bounds[i] : low;
            return low + (high - low) * ((part * all - before) / counts[i]);
        }
        before += counts[i];
    }
    return null;
}

const sum = (counts) => Object.values(counts).reduce((all, own) => all + own, 0);

// --- the charts

const history = { bounds: [], samples: [] };

async function follow() {
    const last = history.samples.at(-1);
    const news = await ask("history" + (last ? "?after=" + last.time : ""));
    history.bounds = news.bounds;
    history.samples.push(...news.samples);
    const oldest = (history.samples.at(-1)?.time ?? 0) - MINUTES * 60;
    history.samples = history.samples.filter((sample) => sample.time >= oldest);
}

function series() {
    const lines = { time: [], commands: [], errors: [], half: [], most: [] };
    for (let i = 1; i < history.samples.length; i += 1) {
        const [before, now] = [history.samples[i - 1], history.samples[i]];
        const passed = now.time - before.time;
        const buckets = now.command_times.map((own, bucket) => own - before.command_times[bucket]);
        const milliseconds = (part) => {
            const at = quantile(part, history.bounds, buckets);
            return at === null ? null : at * 1000;
        };
        lines.time.push(now.time);
        lines.commands.push((now.commands - before.commands) / passed);
        lines.errors.push((now.errors - before.errors) / passed);
        lines.half.push(milliseconds(0.5));
        lines.most.push(milliseconds(0.99));
    }
    return lines;
}

function chart(id, labels) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--faint"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
    const place = element(id);
    place.replaceChildren();
    const line = (label, stroke) => ({ label, stroke, width: 1.5, value: (_, value) => (value === null ? "–" : value.toFixed(1)) });
    const options = {
        width: place.clientWidth || 300,
        height: 180,
        // Always the same minutes, also while there are few samples.
        scales: { x: { range: (_, low, high) => [(high ?? 0) - MINUTES * 60, high ?? 0] }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
        axes: [axis, { ...axis, size: 56 }],
        series: [{}, line(labels[0], color("--first")), line(labels[1], color("--second"))],
    };
    return new uPlot(options, [[], [], []], place);
}

let charts = [];

function draw() {
    charts = [chart("rates", ["commands", "errors"]), chart("times", ["median", "99 %"])];
    fill();
}

function fill() {
    const lines = series();
    charts[0].setData([lines.time, lines.commands, lines.errors]);
    charts[1].setData([lines.time, lines.half, lines.most]);
    show("command-rate", count(lines.commands.at(-1) ?? 0));
    show("error-rate", count(lines.errors.at(-1) ?? 0));
    const seconds = (line) => (line.at(-1) == null ? null : line.at(-1) / 1000);
    show("time-50", time(seconds(lines.half)));
    show("time-99", time(seconds(lines.most)));
}

// --- the tables

/// Cells are texts, or a text and its class. Rows and cells that are there are used again, so that a selection stays.
function table(id, rows) {
    const body = element(id).tBodies[0];
    while (body.rows.length > rows.length) {
        body.deleteRow(-1);
    }
    rows.forEach((cells, number) => {
        const row = body.rows[number] ?? body.insertRow();
        cells.forEach((cell, place) => {
            const [text, name] = Array.isArray(cell) ? cell : [cell, ""];
            const field = row.cells[place] ?? row.insertCell();
            if (field.textContent !== String(text)) {
                field.textContent = text;
            }
            field.className = name;
        });
    });
}

function backends(list) {
    table("backends", list.map((backend) => {
        const times = backend.commands ?? { count: 0, buckets: [] };
        const bounds = times.buckets.map((bucket) => bucket.le).filter((bound) => bound !== null);
        const at = (part) => time(quantile(part, bounds, times.buckets.map((bucket) => bucket.count)));
        const most = backend.max_connections === 0 ? "" : " of " + backend.max_connections;
        const mood = { up: "good", down: "bad" }[backend.state] ?? "";
        return [[backend.address, "text"], backend.kind, [backend.state, mood], backend.clients,
            backend.connections + most, backend.pool.idle, times.count, at(0.5), at(0.99), backend.connect_failures ?? 0];
    }));
}

function connections(answer) {
    element("more").hidden = answer.next_after === null;
    table("connections", answer.connections.map((one) => {
        const command = one.command;
        const query = (command?.query ?? "") + (command?.query_is_cut ? " …" : "");
        return [one.id, [one.user ?? "", "text"], one.client, [one.database, "text"], [one.backend ?? "", "text"], one.state, time(one.seconds),
            command ? command.command + ", " + time(command.seconds) : "", [query, "query"]];
    }));
}

/// Cut between characters, and not in the middle of one.
function cut(text, most) {
    const characters = Array.from(text);
    return characters.length > most ? characters.slice(0, most).join("") + " …" : text;
}

function queries(answer) {
    element("top").hidden = answer.counted === 0;
    if (answer.counted === 0) {
        return;
    }
    const total = answer.total;
    const since = new Date(answer.since * 1000).toISOString().replace("T", " ").slice(0, 16);
    show("counted", count(total.calls) + " calls in " + time(total.seconds) + " since " + since + " UTC");
    table("queries", answer.queries.map((one) => [
        [cut(one.fingerprint, FINGERPRINT), "query"], (one.share * 100).toFixed(1) + " %", time(one.seconds), count(one.calls),
        [count(one.errors), one.errors > 0 ? "bad" : ""], time(one.calls === 0 ? null : one.seconds / one.calls), time(one.max_seconds), count(one.rows)]));
    // A look at one of them, for who stays on it: a title is text, too.
    answer.queries.forEach((one, number) => {
        element("queries").tBodies[0].rows[number].title = one.example ?? "";
    });
}

function hooks(list) {
    const mean = (seconds, calls) => (calls === 0 ? "–" : time(seconds / calls));
    const called = list.filter((hook) => hook.calls > 0);
    table("hooks", called.map((hook) => [hook.hook, hook.calls, [hook.errors, hook.errors > 0 ? "bad" : ""],
        mean(hook.run_seconds, hook.calls), mean(hook.wait_seconds, hook.calls)]));
}

function status(told) {
    show("version", told.version);
    show("open", told.connections.open);
    show("accepted", told.connections.accepted);
    show("commands", sum(told.commands));
    show("errors", Object.values(told.errors).map(sum).reduce((all, own) => all + own, 0));
    const script = told.script ? ", script version " + told.script.version : ", no script";
    show("state", "up for " + time(Date.now() / 1000 - told.started_at) + script);
    element("state").className = "";
}

async function look() {
    try {
        await follow();
        fill();
        const [told, all, live, called, top] = await Promise.all([
            ask("status"), ask("backends"), ask("connections?limit=" + SHOWN), ask("hooks"), ask("queries?limit=" + TOP)]);
        status(told);
        backends(all.backends);
        connections(live);
        hooks(called.hooks);
        queries(top);
    } catch (error) {
        show("state", "no answer: " + error.message);
        element("state").className = "bad";
    }
    setTimeout(look, document.hidden ? 10_000 : 1000);
}

draw();
look();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => charts.forEach((one) => {
    one.setSize({ width: one.root.parentElement.clientWidth, height: 180 });
}));
