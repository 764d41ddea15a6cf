// The one page of the relying party. Every value from outside is escaped; there are no scripts.

const escape = (value) =>
  String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const shown = (value) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));

function table(id, values, empty) {
  const rows = Object.entries(values ?? {});
  if (rows.length === 0) return `<p class="empty">${escape(empty)}</p>`;
  const cells = rows.map(([name, value]) => `<tr><th scope="row">${escape(name)}</th><td>${escape(shown(value))}</td></tr>`);
  return `<table id="${id}"><tbody>${cells.join('')}</tbody></table>`;
}

function logoutToken(event) {
  const mark = event.verified
    ? '<span class="mark good">verified</span>'
    : `<span class="mark bad">refused: ${escape(event.problem)}</span>`;
  return `<article class="event">
    <header><time>${escape(event.received_at)}</time> ${mark} <span>${escape(event.sessions_ended)} local session(s) ended</span></header>
    <pre>${escape(JSON.stringify({ header: event.header, claims: event.claims }, null, 2))}</pre>
  </article>`;
}

const STYLE = `
  :root { color-scheme: light dark; --ground: #f4f5f8; --card: #fff; --ink: #1c2030; --soft: #5d647a; --line: #dfe2ea;
    --accent: #3748c8; --on-accent: #fff; --good: #11734a; --bad: #b3261e; }
  @media (prefers-color-scheme: dark) { :root { --ground: #12141c; --card: #1b1e29; --ink: #e8eaf2; --soft: #9aa1b8;
    --line: #2d3142; --accent: #98a5ff; --on-accent: #12141c; --good: #6fd3a5; --bad: #ff9a90; } }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1rem 4rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
  .top { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; justify-content: space-between; }
  h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1rem; margin: 0 0 .75rem; }
  .top p { margin: .2rem 0 0; color: var(--soft); }
  section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; }
  .button { display: inline-block; border: 0; border-radius: .5rem; padding: .6rem 1.1rem; font: inherit; font-weight: 600;
    background: var(--accent); color: var(--on-accent); text-decoration: none; cursor: pointer; }
  .button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
  table { border-collapse: collapse; width: 100%; font-size: .92rem; }
  th, td { text-align: left; vertical-align: top; padding: .45rem .5rem; border-top: 1px solid var(--line); }
  tr:first-child > * { border-top: 0; }
  th { color: var(--soft); font-weight: 500; width: min(12rem, 35%); } td { overflow-wrap: anywhere; }
  .empty { margin: 0; color: var(--soft); }
  .event + .event { margin-top: 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
  .event header { display: flex; flex-wrap: wrap; gap: .75rem; align-items: baseline; color: var(--soft); font-size: .9rem; }
  .mark { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
  pre { margin: .6rem 0 0; padding: .8rem; overflow: auto; background: var(--ground); border-radius: .5rem; font-size: .82rem; }
  .alert { color: var(--bad); border-color: var(--bad); margin: 0; }
`;

/** The page runs nothing and loads nothing. */
export const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'";

/** The page for one visitor. */
export function page({ name, session, metadata, metadataNote, events, problem }) {
  const who = session
    ? `<p id="who">Signed in as <strong>${escape(session.claims.email ?? session.claims.sub)}</strong></p>`
    : '<p id="who">Nobody is signed in</p>';
  const button = session
    ? '<form method="post" action="/sign-out"><button class="button" type="submit">Sign out</button></form>'
    : '<a class="button" href="/sign-in">Sign in</a>';
  const claims = session
    ? `<section><h2>ID token</h2>${table('claims', session.claims, 'No claims.')}</section>
       <section><h2>Session metadata</h2>${table('metadata', metadata, metadataNote ?? 'This session has none.')}</section>`
    : '';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main>
  <div class="top"><div><h1>${escape(name)}</h1>${who}</div>${button}</div>
  ${problem ? `<section class="alert" role="alert">${escape(problem)}</section>` : ''}
  ${claims}
  <section id="logouts"><h2>Logout tokens received</h2>
    ${events.length ? events.map(logoutToken).join('') : '<p class="empty">None yet. Sign out here or in another application.</p>'}
  </section>
</main></body></html>`;
}
