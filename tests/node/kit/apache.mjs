// Debian's Apache with its module `auth_openidc` as a relying party: one process in a folder of its own, no service.
//
// APACHE names the program and APACHE_MODULES the folder of its modules; `cargo xtask test` finds or installs both.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startChild } from './child.mjs';
import { eventually } from './wait.mjs';

const MODULES = ['mpm_event', 'unixd', 'authn_core', 'authz_core', 'authz_user', 'dir', 'mime', 'headers', 'auth_openidc'];

/** `/` says who is signed in, or 401; `/enter` sends people to sign in. */
function configuration({ folder, port, issuer, authority, client }) {
  const modules = process.env.APACHE_MODULES ?? '/usr/lib/apache2/modules';
  return `
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
LogLevel warn auth_openidc:info
${MODULES.map((name) => `<IfModule !${name}_module>\n  LoadModule ${name}_module ${modules}/mod_${name}.so\n</IfModule>`).join('\n')}
# Counts only where root starts it: no request is served as root.
User nobody
Group nogroup
ServerLimit 1
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
TypesConfig /dev/null
# The module sends only those to sign in who navigate; the fetch of Node.js cannot be told to say that it does.
RequestHeader unset Sec-Fetch-Mode early
DocumentRoot ${folder}/site

OIDCProviderMetadataURL ${issuer}.well-known/openid-configuration
OIDCSSLValidateServer On
OIDCCABundlePath ${authority}
OIDCClientID ${client.client_id}
OIDCClientSecret ${client.client_secret}
OIDCCryptoPassphrase ${randomBytes(32).toString('hex')}
OIDCRedirectURI http://localhost:${port}/oidc
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCSessionType server-cache
OIDCCacheShmMax 500

<Location />
  AuthType openid-connect
  Require valid-user
  Header always set X-Sub "expr=%{reqenv:OIDC_CLAIM_sub}"
  Header always set X-Sid "expr=%{reqenv:OIDC_CLAIM_sid}"
</Location>
<LocationMatch "^/$">
  OIDCUnAuthAction 401
</LocationMatch>
`;
}

/** The URLs that an application at this port registers. */
export function apacheSettings(port) {
  const base = `http://localhost:${port}`;
  return { base, callback: `${base}/oidc`, backChannel: `${base}/oidc?logout=backchannel`, frontChannel: `${base}/oidc?logout=get` };
}

/** Starts it and waits until it answers. */
export async function startApache({ vestibule, port, client }) {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-apache-'));
  const site = join(folder, 'site');
  const authority = join(folder, 'ca.pem');
  const settings = join(folder, 'httpd.conf');
  await mkdir(join(site, 'enter'), { recursive: true });
  await writeFile(join(site, 'index.html'), '<!doctype html><title>Apache</title><p>You are in.</p>\n');
  await writeFile(join(site, 'enter', 'index.html'), '<!doctype html><title>Apache</title><p>You are in.</p>\n');
  // Its worker is another user where root started it.
  await writeFile(authority, await readFile(vestibule.authority));
  for (const path of [folder, site, join(site, 'enter')]) await chmod(path, 0o755);
  await writeFile(settings, configuration({ folder, port, issuer: vestibule.issuer, authority, client }));

  // -X: one process that stays in the foreground, so that its id is all there is to end.
  const child = startChild(process.env.APACHE ?? '/usr/sbin/apache2', ['-X', '-f', settings]);
  const log = () => readFile(join(folder, 'error.log'), 'utf8').catch(() => '');

  async function stop() {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await eventually('Apache answers', async () => {
      if (child.end()) throw new Error(`Apache ended at its start: ${JSON.stringify(child.end())}`);
      return fetch(`http://localhost:${port}/`).then((answer) => answer.status === 401, () => false);
    });
  } catch (error) {
    const text = `${error.message}\n${child.printed()}\n${await log()}`;
    await stop();
    throw new Error(text);
  }
  return { log, stop };
}
