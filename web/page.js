// The page of a token-auth API: it gets, decodes, validates and races tokens.
//
// The exported functions are pure, and tested in Node.js. `start` is the rest, and runs in a browser only.

/** The longest text that is decoded; the API itself refuses a token of over 1024 bytes. */
const LONGEST = 8192;
/** How long an answer may take, in ms. API Gateway gives up after 29 s, and the functions after 5 s. */
const PATIENCE = 15000;
/** In the order of text.json. */
const LANGUAGES = ['en', 'ja'];
const MEMBER = /^(kid|iss|aud|jti|iat|nbf|exp)$/;
const REASON = /^(already_used|expired|revoked|not_yet_valid|unknown_token|invalid_token)$/;

/** The address of the API whose page is at `url`. API Gateway serves a stage with and without the slash at its end. */
export function base(url, api = './') {
  return new URL(api, url.replace(/[?#].*$/, '').replace(/\/?(index\.html)?$/, '/')).href;
}

/** The parts of a token, with its header and its claims, or null if the text is not a token. It verifies nothing. */
export function decode(text) {
  const parts = text.split('.');
  if (text.length > LONGEST || parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return null;
  try {
    const [header, claims] = parts.slice(0, 2).map((part) => {
      const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (it) => it.charCodeAt());
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    });
    const isObject = (it) => it?.constructor === Object;
    return isObject(header) && isObject(claims) ? { parts, header, claims } : null;
  } catch {
    return null;
  }
}

/**
 * What an answer to POST /validate says: yes, no or unknown, and the name of the text.
 *
 * The status is null if there was no answer. After a try with an unknown outcome (`unsure`), only a success is certain.
 */
export function judge({ status, body }, unsure = false) {
  const reason = body?.reason;
  const isRefusal = [400, 401, 413].includes(status) && typeof reason === 'string';
  if (status === 200 && body?.isValid === true) return ['yes', body.replayed ? 'replayed' : 'accepted'];
  if (isRefusal && unsure) return ['unknown', 'unsure'];
  if (isRefusal && status !== 401) return ['no', 'request'];
  if (isRefusal) return ['no', REASON.test(reason) ? reason : 'refused'];
  // 403 is the firewall, for too many requests.
  if ([403, 429].includes(status) && !unsure) return ['unknown', 'throttled'];
  return ['unknown', 'unknown'];
}

/** What the answers of a race prove: yes, no or unknown, the name of the text, and its values. */
export function outcome(answers) {
  const n = answers.length;
  const yes = answers.filter((it) => judge(it)[0] === 'yes').length;
  const refused = answers.filter((it) => judge(it)[1] === 'already_used' && it.body.usedAt);
  const times = new Set(refused.map((it) => it.body.usedAt)).size;
  const used = refused.length;
  const other = n - yes - used;
  const [kind, name] = yes > 1 || yes + other === 0 ? ['no', 'broken'] : times > 1 ? ['no', 'contradicts']
    : other ? ['unknown', 'unproven'] : ['yes', 'held'];
  return [kind, name, { n, yes, used, other }];
}

/** Where the lanes of a race begin, are sent and end, in percent, and their times in ms, from their Resource Timing. */
export function lanes(timings) {
  const known = timings.filter(Boolean);
  const first = Math.min(...known.map((it) => it.startTime));
  const length = Math.max(...known.map((it) => it.responseEnd)) - first || 1;
  const percent = (time) => (100 * (time - first)) / length;
  return timings.map((it) => {
    if (!it) return it;
    const { startTime: from, responseEnd: to } = it;
    const sent = it.requestStart || to;
    return { from: percent(from), sent: percent(sent), to: percent(to), waited: sent - from, flight: to - sent };
  });
}

function start() {
  const $ = (id) => document.getElementById(id);
  const texts = JSON.parse($('texts').textContent);
  const api = base(location.href, document.documentElement.dataset.api);
  const [field, copy, verdict, note, lost] = ['token', 'copy', 'verdict', 'note', 'lost'].map($);
  const said = new Map();
  const visit = [];
  let language = navigator.languages.map((it) => it.slice(0, 2)).find((it) => LANGUAGES.includes(it)) ?? 'en';
  let claims = {}, skew = 0, mark = 0, race = [];
  // The key of a try whose outcome is unknown, so that the next one repeats it.
  let key, unsure = false;

  // --- texts and elements ---

  const date = (time) => isNaN(time) ? '?' : new Date(time).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const text = (name, values = {}) => texts[name][LANGUAGES.indexOf(language)].replace(/{(\w+)}/g, (_, it) => {
    const value = values[it];
    if (/usedAt|iat|nbf|exp/.test(it)) return date(typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : NaN);
    return it === 'v' ? text(value.name, value.values) : value;
  });
  const say = (place, name, values, kind = '') => {
    said.set(place, [name, values, kind]);
    place.textContent = name ? text(name, values) : '';
    place.className = kind;
  };
  const make = (tag, content, properties) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...[content].flat());
    return made;
  };
  const row = (first, ...cells) => make('tr', [make('th', first), ...cells.map((it) => make('td', it))]);

  // --- requests ---

  const ask = async (action, path, init) => {
    const answer = { action, time: Date.now(), status: null };
    try {
      // A redirect is not followed: it could carry the token elsewhere.
      const options = { cache: 'no-store', credentials: 'omit', redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) };
      const response = await fetch(api + path, { ...options, ...init });
      const content = await response.text();
      answer.status = response.status;
      answer.id = response.headers.get('x-amzn-RequestId');
      answer.body = JSON.parse(content);
    } catch {
      // Without a status there was no answer, and without a body it is not JSON.
    }
    visit.unshift({ ...answer, body: { reason: answer.body?.reason } });
    list();
    return answer;
  };
  const mint = async (place) => {
    const slow = setTimeout(() => say(place, 'waiting'), 300);
    const { status, body } = await ask('get', 'hello');
    clearTimeout(slow);
    say(place);
    const token = body?.accessToken;
    if (status === 200 && typeof token === 'string') return token;
    const name = status === null ? 'unreachable' : status >= 429 ? 'mint_failed' : status === 403 && body ? 'mint_closed' : 'foreign';
    say(place, name, { url: api, status }, 'unknown');
  };
  const spend = (action, token, key, query = '') => ask(action, 'validate' + query, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({ token }),
  });
  const draw = () => crypto.getRandomValues(new Uint32Array(4)).join('-');
  const describe = ({ status, body }) => [status ?? text('no_answer'), body?.reason].filter(Boolean).join(' ');

  // One action at a time. No button is disabled meanwhile: that would move the focus.
  const act = (button, action) => button.onclick = async () => {
    if (field.readOnly) return;
    const busy = (is) => {
      field.readOnly = is;
      button.ariaBusy = is;
      for (const it of document.querySelectorAll('.act')) it.ariaDisabled = is;
    };
    busy(true);
    await action().finally(() => busy(false));
  };

  // --- the token ---

  const tick = () => {
    if (typeof claims.exp !== 'number') return;
    const left = Math.max(0, Math.ceil(claims.exp - (Date.now() + skew) / 1000));
    const parts = { hours: left / 3600, minutes: left / 60 % 60, seconds: left % 60 };
    const d = Object.keys(parts).map((it) => parts[it] >= 1 || it === 'seconds' ? text(it, { n: Math.floor(parts[it]) }) : '').join('');
    say($('left'), left ? 'left' : 'left_none', { d });
    // Announced: each of the last minutes, the last 20 seconds, and the end.
    const next = left > 300 ? Infinity : left > 20 ? Math.ceil(left / 60) * 60 : left && 20;
    if (next < mark) say($('announced'), left ? 'left' : 'gone', { d }, 'unseen');
    mark = next;
  };
  const show = () => {
    const token = field.value.trim();
    const decoded = decode(token);
    const isOdd = token && !decoded;
    field.ariaInvalid = isOdd ? 'true' : null;
    say($('odd'), isOdd ? 'not_a_token' : '', {}, 'no');
    copy.hidden = !token || !navigator.clipboard;
    $('validate').disabled = $('lose').disabled = !token;
    $('decoded').hidden = !decoded;
    claims = decoded?.claims ?? {};
    say($('left'));
    if (!decoded) return;
    $('claims').replaceChildren(...['header', 'claims', 'signature'].flatMap((part, i) => {
      const encoded = row(text(part), decoded.parts[i]);
      encoded.className = part;
      encoded.lastChild.colSpan = 2;
      return [encoded, ...Object.entries(decoded[part] ?? {}).map(([name, value]) =>
        row(name, typeof value === 'string' ? value : JSON.stringify(value), MEMBER.test(name) ? text(name, claims) : ''))];
    }));
    tick();
  };
  const forget = () => {
    key = undefined;
    unsure = false;
    mark = 0;
    for (const it of [verdict, note, $('got'), $('announced')]) say(it);
    $('again').hidden = $('renew').hidden = true;
    lost.replaceChildren();
    show();
  };
  const get = async () => {
    const token = await mint($('got'));
    if (!token) return;
    field.value = token;
    // By the clock of the API, which may differ from the browser's.
    skew = decode(token)?.claims.iat * 1000 - Date.now() || 0;
    forget();
  };
  const values = ({ body }) => ({ nbf: claims.nbf, exp: claims.exp, ...body });
  const validate = async () => {
    say(note);
    say(verdict, 'waiting');
    key ??= draw();
    const answer = await spend('validate', field.value.trim(), key);
    const [kind, name] = judge(answer, unsure);
    say(verdict, name, values(answer), kind);
    if (kind === 'unknown' && !answer.body) say(note, answer.status === null ? 'unreachable' : 'foreign', { url: api });
    if (kind !== 'unknown') key = undefined;
    unsure = kind === 'unknown' && (unsure || name !== 'throttled');
    $('again').hidden = kind !== 'unknown';
    $('renew').hidden = kind !== 'no';
  };
  const lose = async () => {
    const mine = key ?? draw();
    forget();
    const add = (...of) => say(lost.appendChild(make('li', '')), ...of);
    const token = field.value.trim();
    await spend('lose', token, mine);
    add('lost');
    for (const name of ['lost_same', 'lost_other']) {
      const isSame = name === 'lost_same';
      const answer = await spend('validate', token, isSame ? mine : draw());
      const [kind, said] = judge(answer, isSame);
      if (isSame && kind === 'unknown') [key, unsure, $('again').hidden] = [mine, true, false];
      add(name, { v: { name: said, values: values(answer) } }, kind);
    }
  };

  // --- the race ---

  const shape = (tag, attributes, content = '') => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const it in attributes) made.setAttribute(it, attributes[it]);
    made.textContent = content;
    return made;
  };
  const paint = () => {
    const timings = race.map((it, i) => it && performance.getEntriesByName(api + 'validate?race=' + (i + 1))[0]);
    const places = lanes(timings);
    $('course').hidden = !race.length;
    $('lanes').setAttribute('height', race.length * 22);
    $('lanes').replaceChildren(...race.flatMap((it, i) => {
      const y = i * 22 + 11;
      const line = (kind, from, to) => shape('line', { class: kind, x1: 7 + from * 0.86 + '%', x2: 7 + to * 0.86 + '%', y1: y, y2: y });
      const place = places[i];
      const kind = it && judge(it)[0];
      return [
        shape('text', { x: 0, y }, i + 1),
        place && line('wait', place.from, place.sent),
        place && line(kind, place.sent, place.to),
        it && shape('text', { class: kind, x: '95%', y }, { yes: '✔', no: '✘', unknown: '?' }[kind]),
      ].filter(Boolean);
    }));
    $('results').replaceChildren(...race.map((it, i) => {
      const ms = (name) => places[i] ? Math.round(places[i][name]) + ' ms' : '';
      return row(i + 1, ms('waited'), ms('flight'), it ? describe(it) : '');
    }));
    const protocol = timings.find((it) => it?.nextHopProtocol)?.nextHopProtocol ?? '';
    if (protocol) say($('protocol'), protocol.startsWith('http/1') ? 'six' : 'all', { p: protocol.replace(/^h(?=\d)/, 'http/').toUpperCase() });
  };
  const run = async () => {
    const n = Math.min(32, Math.max(2, Math.trunc($('count').value) || 6));
    $('count').value = n;
    race = [];
    paint();
    const token = await mint($('outcome'));
    if (!token) return;
    say($('outcome'), 'waiting');
    performance.clearResourceTimings();
    race = Array(n).fill(null);
    paint();
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    await Promise.all(race.map(async (_, i) => {
      // With a key of its own, a lane whose request the browser sends again is not refused by itself.
      race[i] = await spend('race', token, draw(), '?race=' + (i + 1));
      if (!isCalm) paint();
    }));
    paint();
    const [kind, name, counts] = outcome(race);
    say($('outcome'), name, counts, kind);
  };

  // --- the visit and the language ---

  const list = () => {
    $('clear').hidden = !visit.length;
    $('visit').replaceChildren(...visit.map((it) =>
      make('li', [make('time', new Date(it.time).toLocaleTimeString(language)), ` ${text(it.action)} ${describe(it)} `, make('code', it.id ?? '')])));
  };
  const other = () => language === 'en' ? 'ja' : 'en';
  const speak = () => {
    document.documentElement.lang = language;
    $('language').lang = other();
    for (const it of document.querySelectorAll('[data-t]')) it.textContent = text(it.dataset.t);
    for (const [place, of] of said) say(place, ...of);
    show();
    paint();
    list();
  };

  const actions = { get, renew: get, validate, again: validate, lose, start: run };
  for (const id in actions) act($(id), actions[id]);
  field.oninput = forget;
  field.onkeydown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('validate').click();
  };
  copy.onclick = () => navigator.clipboard.writeText(field.value.trim()).then(() => say($('got'), 'copied'), () => {});
  $('clear').onclick = () => {
    visit.length = 0;
    list();
  };
  $('language').onclick = () => {
    language = other();
    speak();
  };
  setInterval(tick, 1000);
  speak();
}

if (typeof document !== 'undefined') start();
