//! Every limit, with its unit, its reason and its source.
//!
//! What an operator may tune lives in the server's configuration, with the limit here as its ceiling.

/// Entries in one session's metadata. Auth0: session metadata, restrictions.
pub const SESSION_METADATA_ENTRIES_MAX: usize = 25;
/// UTF-16 units in a metadata key. Auth0: session metadata, restrictions.
pub const SESSION_METADATA_KEY_UNITS_MAX: usize = 255;
/// UTF-16 units in a metadata value. Auth0: session metadata, restrictions.
pub const SESSION_METADATA_VALUE_UNITS_MAX: usize = 255;

/// Bytes of a Management API body. Auth0: Management API v2, request size.
pub const API_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a form posted to the sign-in pages or the token endpoint. Ours: the longest legal form is far below.
pub const FORM_BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an authorization request's query. Ours: browsers and proxies stop at about this.
pub const AUTHORIZE_QUERY_BYTES_MAX: usize = 16 * 1024;
/// Items on one page of a list. Auth0: Management API v2, paging.
pub const PAGE_ITEMS_MAX: usize = 100;
/// Items on one page when none is asked for. Auth0: Management API v2, paging.
pub const PAGE_ITEMS_DEFAULT: usize = 50;
/// Items that offset paging reaches. Auth0: user and log search, limitations.
pub const OFFSET_ITEMS_MAX: usize = 1000;
/// Bytes of the `q` of a list. Ours: a hundred terms with identifiers in them.
pub const SEARCH_QUERY_BYTES_MAX: usize = 4_096;
/// Terms in the `q` of a list. Ours: each costs a comparison for each record that is looked at.
pub const SEARCH_TERMS_MAX: usize = 100;
/// Parentheses within each other in the `q` of a list. Ours: bounds the stack.
pub const SEARCH_DEPTH_MAX: usize = 16;
/// Wildcards in one term of the `q` of a list. Ours: bounds a comparison.
pub const SEARCH_WILDCARDS_MAX: usize = 8;
/// Characters of one term with wildcards. Ours: bounds a comparison.
pub const SEARCH_PATTERN_CHARACTERS_MAX: usize = 256;
/// Log events that one search looks at. Ours: a few tenths of a second; more is refused with the advice to narrow it.
pub const LOG_SEARCH_EVENTS_MAX: usize = 10_000;
/// Segments of the log's index that one search looks at. Ours: sixteen million events.
pub const LOG_SEARCH_SEGMENTS_MAX: usize = 4_096;
/// Bytes of `X-Correlation-ID` that are kept. Auth0: Management API v2, correlation id.
pub const CORRELATION_ID_BYTES_MAX: usize = 64;

/// Clients that one session remembers. Ours: bounds the session record and the fan-out of one logout.
pub const SESSION_CLIENTS_MAX: usize = 1_000;
/// Authentication methods that one session remembers. Ours: bounds the record; the oldest goes first.
pub const SESSION_METHODS_MAX: usize = 32;

/// Lifetime of an authorization code in milliseconds. RFC 6749 §4.1.2 recommends ten minutes at most.
pub const CODE_MS: i64 = 60 * 1000;
/// How long a used code is remembered, so that a second use is noticed, in milliseconds. Ours.
pub const CODE_MEMORY_MS: i64 = 24 * 3600 * 1000;
/// Lifetime of an unfinished sign-in in milliseconds. Ours: long enough to find a password.
pub const SIGN_IN_MS: i64 = 60 * 60 * 1000;
/// Failed passwords in one sign-in before it starts over. Ours: each costs an Argon2id run.
pub const SIGN_IN_ATTEMPTS_MAX: u32 = 20;
/// How long a sign-in waits for a browser that an Action sent away, in milliseconds. Ours: as long as for a password.
pub const SIGN_IN_PAUSE_MS: i64 = SIGN_IN_MS;
/// How often Actions may send the browser away in one sign-in. Ours: twice for each Action that can be bound.
pub const SIGN_IN_PAUSES_MAX: usize = 2 * ACTION_BINDINGS_MAX;
/// Serialised bytes of a sign-in that waits for such a browser. Ours: the largest legal use is far below.
pub const SIGN_IN_PAUSED_BYTES_MAX: usize = 1024 * 1024;
/// Lifetime of a logout token in seconds. OIDC Back-Channel Logout 1.0 §2.4 asks for two minutes at most.
pub const LOGOUT_TOKEN_SECONDS: i64 = 120;
/// Default lifetime of an ID token in seconds. Auth0: client `jwt_configuration.lifetime_in_seconds`.
pub const ID_TOKEN_SECONDS_DEFAULT: i64 = 36_000;
/// Default lifetime of an access token in seconds. Auth0: resource server `token_lifetime`.
pub const ACCESS_TOKEN_SECONDS_DEFAULT: i64 = 86_400;
/// Lifetime of the dashboard's access token in seconds. Ours: it may do everything, and is renewed while the page is open.
pub const DASHBOARD_TOKEN_SECONDS: i64 = 900;
/// Longest lifetime of an access token in seconds. Auth0: resource server `token_lifetime`.
pub const ACCESS_TOKEN_SECONDS_MAX: i64 = 2_592_000;
/// Default absolute lifetime of a refresh token in seconds. Auth0: client `refresh_token.token_lifetime`.
pub const REFRESH_TOKEN_SECONDS_DEFAULT: i64 = 2_592_000;
/// Default idle lifetime of a refresh token in seconds. Auth0: client `refresh_token.idle_token_lifetime`.
pub const REFRESH_TOKEN_IDLE_SECONDS_DEFAULT: i64 = 1_296_000;
/// Live refresh tokens of one user in one application; the oldest makes room. Auth0: entity limits.
pub const REFRESH_TOKENS_PER_USER_AND_CLIENT_MAX: usize = 200;
/// Spent refresh tokens of one family that the leeway still covers, beside the newest. Ours: bounds the record; a browser
/// sends about six requests at once.
pub const REFRESH_TOKEN_LEEWAY_USES_MAX: usize = 8;
/// Identifiers in one request to revoke refresh tokens. Auth0: Management API v2, revoke refresh tokens.
pub const REFRESH_TOKENS_REVOKED_AT_ONCE_MAX: usize = 100;

/// Roles of the tenant. Auth0: entity limits.
pub const ROLES_MAX: usize = 1_000;
/// Permissions of one role. Auth0: entity limits.
pub const ROLE_PERMISSIONS_MAX: usize = 1_000;
/// Roles of one user in the whole tenant, or in one organization; roles named in one request. Auth0: entity limits.
pub const USER_ROLES_MAX: usize = 50;
/// Permissions of one user beside those of roles. Auth0: entity limits.
pub const USER_PERMISSIONS_MAX: usize = 1_000;
/// Users in one request to give them a role. Ours: each costs four rows of the commit.
pub const ROLE_USERS_PER_REQUEST_MAX: usize = 500;

/// Parameters of one request to `/authorize`, the token endpoint or a logout endpoint. Ours: the specifications
/// and Auth0 name about thirty.
pub const REQUEST_PARAMETERS_MAX: usize = 100;
/// Bytes of `state`. Ours: it comes back in a URL, so it must leave room for the rest.
pub const STATE_BYTES_MAX: usize = 8 * 1024;
/// Bytes of `nonce`. Ours: it travels in every ID token of the sign-in.
pub const NONCE_BYTES_MAX: usize = 1024;
/// Scopes in one request. Ours: the Management API alone has about two hundred.
pub const SCOPES_MAX: usize = 500;
/// Characters of a code verifier, and of a challenge, at least. RFC 7636 §4.1, §4.2.
pub const CODE_VERIFIER_CHARACTERS_MIN: usize = 43;
/// Characters of a code verifier, and of a challenge, at most. RFC 7636 §4.1, §4.2.
pub const CODE_VERIFIER_CHARACTERS_MAX: usize = 128;
/// Bytes of a JWT that is looked at. Ours: holds the largest custom claims in base64url.
pub const JWT_BYTES_MAX: usize = 160 * 1024;
/// Keys tried on one JWT that names none. Ours: each costs a verification.
pub const JWT_KEYS_TRIED_MAX: usize = 4;

/// Bytes of a password. Ours: an Argon2id input; longer ones only cost.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// How long failed tries for an account are remembered after the last one, and a block with them, in milliseconds.
/// Auth0: brute-force protection, how blocks are removed.
pub const FAILED_TRIES_MEMORY_MS: i64 = 30 * 24 * 3600 * 1000;
/// Addresses and networks in the allow list of a protection. Auth0: brute-force protection, `allowlist`.
pub const ATTACK_ALLOWLIST_MAX: usize = 100;
/// Blocks of one user that are listed. Ours: one for each address that somebody guessed from.
pub const USER_BLOCKS_MAX: usize = 100;
/// Documents of one kind of settings that are only kept. Ours: texts of each prompt in each language are below.
pub const SETTINGS_DOCUMENTS_MAX: usize = 1_000;
/// Characters of a password on sign-up. NIST SP 800-63B §3.1.1 asks for eight at least.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;
/// Serialised bytes of `user_metadata` or `app_metadata` written by Actions. Auth0: Actions, limitations.
pub const USER_METADATA_BYTES_MAX: usize = 32 * 1024;
/// Serialised bytes of one token's custom claims. Auth0: custom claims, limitations.
pub const CUSTOM_CLAIMS_BYTES_MAX: usize = 100 * 1024;

/// Bytes of an Action's source. Auth0: Actions, limitations.
pub const ACTION_CODE_BYTES_MAX: usize = 100 * 1000;
/// Actions bound to one trigger. Auth0: Actions, limitations.
pub const ACTION_BINDINGS_MAX: usize = 20;
/// Actions of one tenant. Ours: ten times Auth0's; a new one is counted against one page of the others.
pub const ACTIONS_MAX: usize = 1_000;
/// Versions kept of one Action. Auth0: entity limits.
pub const ACTION_VERSIONS_MAX: usize = 50;
/// Modules of one tenant. Auth0: entity limits.
pub const MODULES_MAX: usize = 100;
/// Modules of one Action. Auth0: entity limits.
pub const ACTION_MODULES_MAX: usize = 3;
/// Versions kept of one module. Auth0: entity limits.
pub const MODULE_VERSIONS_MAX: usize = 50;
/// Characters of a module's source. Auth0: Management API v2, create an Actions Module.
pub const MODULE_CODE_CHARACTERS_MAX: usize = 65_536;
/// Secrets of one module. Auth0: entity limits.
pub const MODULE_SECRETS_MAX: usize = 30;
/// Characters of the name of a module's secret. Auth0: Management API v2, create an Actions Module.
pub const MODULE_SECRET_NAME_CHARACTERS_MAX: usize = 255;
/// Secrets of one Action. Auth0: Actions, limitations.
pub const ACTION_SECRETS_MAX: usize = 30;
/// Characters of a secret's name. Auth0: Actions, limitations.
pub const ACTION_SECRET_NAME_CHARACTERS_MAX: usize = 128;
/// Characters of a secret's value. Auth0: Actions, limitations.
pub const ACTION_SECRET_VALUE_CHARACTERS_MAX: usize = 4096;
/// Wall clock of all Actions of one trigger run, in milliseconds. Auth0: Actions, limitations.
pub const ACTION_TRIGGER_MS_MAX: u64 = 20_000;
/// Processor time of one Action run in milliseconds. Ours: no sign-in needs more; a loop must not starve others.
pub const ACTION_CPU_MS_MAX: u64 = 1_000;
/// Wall clock of one Action run in milliseconds. Ours: what is left of the trigger's time is the other bound.
pub const ACTION_RUN_MS_MAX: u64 = 10_000;
/// Memory of one Action run in bytes. Ours: a hundred times what a common script takes. Between two looks at it, a run can
/// hold up to twice as much.
pub const ACTION_MEMORY_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// npm packages that one Action may ask for. Auth0: Actions, limitations.
pub const ACTION_DEPENDENCIES_MAX: usize = 10;
/// Processor time of one run with npm packages, in milliseconds. Ours: loading the largest common ones takes half a
/// second of it; the kernel counts whole seconds.
pub const ACTION_NODE_CPU_MS_MAX: u64 = 3_000;
/// JavaScript heap of one run with npm packages, in bytes. Ours: four times what the largest common ones take.
pub const ACTION_NODE_MEMORY_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// What installing npm packages may take, in milliseconds. Ours: less than the minute that a request may take.
pub const ACTION_PACKAGES_INSTALL_MS_MAX: u64 = 45_000;
/// Bytes of one installed set of npm packages. Ours: Auth0's own client and six more come to 55 MB.
pub const ACTION_PACKAGES_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Files of one installed set of npm packages. Ours: Auth0's own client and six more come to 8,000.
pub const ACTION_PACKAGES_FILES_MAX: usize = 50_000;
/// Bytes of the lock that a version keeps of its npm packages. Ours: some 700 packages.
pub const ACTION_PACKAGES_LOCK_BYTES_MAX: usize = 256 * 1024;
/// Keys of one algorithm that signed before and still count. Ours: as many rotations as one may wait for old tokens to run
/// out.
pub const SIGNING_KEYS_PREVIOUS_MAX: usize = 8;
/// How old a key is before the next one is made, in milliseconds. Ours: the first minute of a server belongs to its start.
pub const SIGNING_KEY_NEXT_AFTER_MS: i64 = 60 * 1000;
/// The shortest time between two removals of npm packages that nobody needs, in milliseconds. Ours.
pub const ACTION_PACKAGES_SWEEP_MS: i64 = 3600 * 1000;
/// How long a failed installation is not tried again for a run, in milliseconds. Ours: a sign-in a second must not
/// start npm each time.
pub const ACTION_PACKAGES_RETRY_MS: i64 = 60_000;
/// Console bytes kept of one Action run. Ours: Auth0 keeps 256 characters, which is too few to debug with.
pub const ACTION_CONSOLE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a URL that an Action sends the browser to. Ours: browsers and proxies stop at about this.
pub const ACTION_REDIRECT_URL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of an event, as JSON, that are kept with the record of a failed Action. Ours: a few times what is common; a
/// longer one is left out, so that a failing sign-in stays a small commit.
pub const ACTION_EVENT_BYTES_MAX: usize = 64 * 1024;
/// How long an Action's execution record is kept, in milliseconds. Auth0: Actions, limitations (ten days).
pub const ACTION_EXECUTION_MS: i64 = 10 * 24 * 3600 * 1000;
/// Entries in one trigger's cache. Auth0: Actions, limitations.
pub const ACTION_CACHE_ENTRIES_MAX: usize = 20;
/// Bytes of a key in a trigger's cache. Auth0: Actions, limitations.
pub const ACTION_CACHE_KEY_BYTES_MAX: usize = 64;
/// Bytes of a value in a trigger's cache. Auth0: Actions, limitations.
pub const ACTION_CACHE_VALUE_BYTES_MAX: usize = 4096;
/// Bytes of all keys and values in one trigger's cache. Auth0: Actions, limitations.
pub const ACTION_CACHE_BYTES_MAX: usize = 8 * 1024;
/// How long a cached value is kept when nothing is said, in milliseconds. Auth0: Actions, `api.cache.set`.
pub const ACTION_CACHE_DEFAULT_MS: i64 = 15 * 60 * 1000;
/// Longest that a cached value is kept, in milliseconds. Auth0: Actions, limitations.
pub const ACTION_CACHE_MS_MAX: i64 = 24 * 3600 * 1000;

/// Timeout of one logout delivery in milliseconds. Auth0: configure back-channel logout.
pub const LOGOUT_DELIVERY_MS_MAX: i64 = 5_000;
/// Lease on a claimed outbox entry in milliseconds. Ours: longer than one delivery can take.
pub const OUTBOX_LEASE_MS: i64 = 20_000;
/// First wait after a failed delivery in milliseconds. Ours.
pub const LOGOUT_RETRY_FIRST_MS: i64 = 2_000;
/// Longest wait between two deliveries in milliseconds. Ours.
pub const LOGOUT_RETRY_MS_MAX: i64 = 3600 * 1000;
/// How long a delivery is retried before it is dead, in milliseconds. Ours: a night and a morning to mend a
/// relying party.
pub const LOGOUT_RETRY_TOTAL_MS: i64 = 26 * 3600 * 1000;
/// Clients of a session that the browser itself tells of a sign-out, the newest of them. Ours: each is a frame on one
/// page, and the person waits for all.
pub const FRONT_CHANNEL_CLIENTS_MAX: usize = 50;
/// How long the browser waits for those frames before it goes on, in seconds. Ours: as long as one delivery.
pub const FRONT_CHANNEL_SECONDS_MAX: u64 = 5;
/// Longest wait that a client may ask for (`Retry-After`), in milliseconds. Ours: it must leave room for further tries.
pub const LOGOUT_RETRY_AFTER_MS_MAX: i64 = 6 * 3600 * 1000;
/// Deliveries under way at once on one node. Ours: so many hosts that hang at the same moment do not fill it.
pub const LOGOUT_DELIVERIES_MAX: usize = 128;
/// Deliveries under way at once from one node to one host. Ours: a relying party must bear a large logout.
pub const LOGOUT_DELIVERIES_PER_HOST_MAX: usize = 8;
/// Failures in a row after which a host is only probed. Ours.
pub const LOGOUT_FAILURES_IN_A_ROW_MAX: u32 = 5;
/// First wait before a host that only failed is probed, in milliseconds. Ours; it doubles with each probe that fails.
pub const LOGOUT_PROBE_FIRST_MS: i64 = 10_000;
/// Longest wait between two probes of a host, in milliseconds. Ours: a host that is back hears what waits this soon.
pub const LOGOUT_PROBE_MS_MAX: i64 = 5 * 60 * 1000;
/// Deliveries that one commit makes of a session that ended, before those of one more client. Ours: keeps the commit
/// short.
pub const LOGOUT_FAN_OUT_STEP: usize = 200;
/// Clients of a session that are looked at when it ends, so that nothing is queued where none wants to hear of it. Ours:
/// sessions with more are looked at afterwards only, so that no sign-out takes longer by them.
pub const LOGOUT_CLIENTS_LOOKED_AT_MAX: usize = 16;
/// How long a delivery that arrived, or was dropped, can be read and sent again, in milliseconds. Ours.
pub const LOGOUT_DELIVERED_KEEP_MS: i64 = 7 * 24 * 3600 * 1000;
/// How long a delivery that was given up can be read and sent again, in milliseconds. Ours: as long as its log events.
pub const LOGOUT_DEAD_KEEP_MS: i64 = 30 * 24 * 3600 * 1000;
/// Wall clock of one try of queued Actions, waiting for a worker included, in milliseconds. Ours: twice what the Actions
/// themselves may take.
pub const QUEUED_ACTIONS_MS_MAX: u64 = 45_000;
/// Lease on claimed queued Actions in milliseconds. Ours: longer than one try.
pub const QUEUED_ACTIONS_LEASE_MS: i64 = 60_000;
/// How long queued Actions that find no worker are tried again, in milliseconds. Ours: as long as a logout.
pub const QUEUED_ACTIONS_RETRY_TOTAL_MS: i64 = LOGOUT_RETRY_TOTAL_MS;
/// Queued runs under way at once on one node. Ours: half of its workers, and no more than this.
pub const QUEUED_ACTIONS_RUNS_MAX: usize = 32;
/// How long log events are kept, in days, unless the operator says otherwise. Auth0: log data retention (Enterprise).
pub const LOG_RETENTION_DAYS: u32 = 30;
/// Longest time that log events may be kept, in days. Ours: a year and a month; who needs more streams them elsewhere.
pub const LOG_RETENTION_DAYS_MAX: u32 = 400;
/// Logout URLs that a logout event lists. Ours: enough to see what was registered, while a logout stays a small commit.
pub const LOG_URLS_MAX: usize = 10;
/// Bytes of one text of a request's body that a log event shows. Ours: names and addresses are shorter.
pub const LOG_BODY_TEXT_BYTES_MAX: usize = 512;
/// Entries of one list or map of a request's body that a log event shows. Ours: a write stays a small commit.
pub const LOG_BODY_ITEMS_MAX: usize = 100;
/// Bytes of the `Auth0-Client` header, or parameter, that are read. Ours: the longest of Auth0's libraries send a
/// quarter of it.
pub const AUTH0_CLIENT_BYTES_MAX: usize = 2048;
/// The longest round trip to a database whose clock is believed, in milliseconds. Ours: half of it is how far the
/// answer can be off, and far below every lifetime that nodes must agree on.
pub const CLOCK_ROUND_TRIP_MS_MAX: i64 = 1_000;
/// How far a node's clock may be off the database's before the operator is told, in milliseconds. Ours.
pub const CLOCK_OFF_MS_MAX: i64 = 2_000;
/// Log streams of one tenant. Ours: each is a loop of reads.
pub const LOG_STREAMS_MAX: usize = 32;
/// Characters of a log stream's name. Ours.
pub const LOG_STREAM_NAME_CHARACTERS_MAX: usize = 255;
/// Bytes of the name of a log stream's file. Ours: leaves room for endings in any file system.
pub const LOG_STREAM_FILE_NAME_BYTES_MAX: usize = 64;
/// Headers that a log stream may send beside its own. Ours.
pub const LOG_STREAM_HEADERS_MAX: usize = 20;
/// Bytes of the value of a log stream's header, `Authorization` included. Ours: receivers stop at about this.
pub const LOG_STREAM_HEADER_BYTES_MAX: usize = 4096;
/// Events that a log stream sends at once. Ours: a post of some 100 KiB.
pub const LOG_STREAM_BATCH_EVENTS_MAX: usize = 100;
/// Bytes of events that a log stream sends at once; one event that is larger goes alone. Ours: what receivers take.
pub const LOG_STREAM_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Timeout of one post of a log stream in milliseconds. Ours: as long as a logout delivery.
pub const LOG_STREAM_POST_MS_MAX: i64 = 5_000;
/// After so long no further post of a batch begins, in milliseconds. Ours: a batch of single posts ends before its lease.
pub const LOG_STREAM_BATCH_MS_MAX: i64 = 5_000;
/// Lease on a log stream in milliseconds. Ours: longer than one batch can take; each batch renews it.
pub const LOG_STREAM_LEASE_MS: i64 = 20_000;
/// First wait after a failed batch of a log stream in milliseconds. Ours.
pub const LOG_STREAM_RETRY_FIRST_MS: i64 = 1_000;
/// Longest wait between two tries of a log stream in milliseconds. Ours: a receiver that is back is noticed soon.
pub const LOG_STREAM_RETRY_MS_MAX: i64 = 5 * 60 * 1000;
/// Longest wait that a receiver of a log stream may ask for, in milliseconds. Ours.
pub const LOG_STREAM_RETRY_AFTER_MS_MAX: i64 = 3600 * 1000;
/// How long a log stream fails before the log tells, in milliseconds. Ours: a restart of a receiver is no news.
pub const LOG_STREAM_FAILING_TOLD_MS: i64 = 3600 * 1000;
/// How long a log stream fails before it is suspended, in milliseconds. Auth0: log streams, delivery attempts.
pub const LOG_STREAM_FAILING_MS_MAX: i64 = 7 * 24 * 3600 * 1000;

/// What one call to another OpenID provider may take, in milliseconds. Ours: a sign-in makes up to four in a row.
pub const UPSTREAM_CALL_MS_MAX: i64 = 5_000;
/// Bytes of an answer of another OpenID provider. Ours: above its longest token and any real set of keys.
pub const UPSTREAM_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Seconds by which another OpenID provider's clock may differ from ours. Ours: synchronised clocks differ by less.
pub const UPSTREAM_CLOCK_SKEW_SECONDS: i64 = 60;
/// Age of an ID token that comes for a code, in seconds. Ours: it is made when it is asked for (OIDC Core 1.0
/// §3.1.3.7).
pub const UPSTREAM_ID_TOKEN_AGE_SECONDS_MAX: i64 = 600;
/// Lifetime of a logout token that is taken from another provider, in seconds: for so long its name is remembered.
/// Ours; OIDC Back-Channel Logout 1.0 §2.4 asks for two minutes.
pub const UPSTREAM_LOGOUT_TOKEN_SECONDS_MAX: i64 = 24 * 3600;
/// Bytes of a `sub` (OIDC Core 1.0 §2) and of a `sid` of another provider.
pub const UPSTREAM_IDENTIFIER_BYTES_MAX: usize = 255;
/// Characters of one value of a profile that another provider tells. Auth0: user `name`.
pub const UPSTREAM_PROFILE_CHARACTERS_MAX: usize = 300;
/// How long another provider's keys are used before they are asked for anew, in milliseconds. Ours.
pub const UPSTREAM_KEYS_MS: i64 = 3600 * 1000;
/// How long keys are used of a provider that cannot be asked, in milliseconds. Ours: a day to mend it.
pub const UPSTREAM_KEYS_STALE_MS_MAX: i64 = 24 * 3600 * 1000;
/// The shortest time between two questions for one provider's keys or description, in milliseconds. Ours: tokens that
/// name unknown keys must not make us ask each time.
pub const UPSTREAM_REFRESH_MS_MIN: i64 = 30_000;
/// How long another provider is left alone that had no keys for us although we had none, in milliseconds. Ours: short,
/// since nobody can sign in from there until it is asked again.
pub const UPSTREAM_RETRY_MS_MIN: i64 = 5_000;
/// How long another provider's description is used before it is asked for anew, in milliseconds. Ours.
pub const UPSTREAM_DISCOVERY_MS: i64 = 24 * 3600 * 1000;
/// Providers whose keys are held in memory. Ours: past it all are asked for anew.
pub const UPSTREAM_PROVIDERS_MAX: usize = 1_000;
/// How long it is remembered that another provider ended a session, in milliseconds. Ours: longer than a sign-in from
/// there can take to its end, with every pause.
pub const UPSTREAM_END_MEMORY_MS: i64 = 48 * 3600 * 1000;
/// Buttons for other providers on the sign-in page. Ours: more help nobody.
pub const UPSTREAM_BUTTONS_MAX: usize = 20;

/// Clients' redirect and logout URLs each. Ours: bounds the record and the comparison.
pub const CLIENT_URLS_MAX: usize = 100;
/// URLs at which one client hears of logouts. Ours: Auth0 takes one; a few are enough for a client that runs in several
/// places, and each costs a delivery for every logout.
pub const CLIENT_LOGOUT_URLS_MAX: usize = 5;
/// Entries in `client_metadata`. Auth0: client metadata.
pub const CLIENT_METADATA_ENTRIES_MAX: usize = 10;
/// Characters of a `client_metadata` value. Auth0: client metadata.
pub const CLIENT_METADATA_VALUE_CHARACTERS_MAX: usize = 255;
/// Credentials of one client. Auth0: what its Management API answers past it; they are part of the client's record.
pub const CLIENT_CREDENTIALS_MAX: usize = 4;
/// Credentials that one client may use for one purpose at a time. Auth0: rotate credentials.
pub const CLIENT_CREDENTIALS_ENABLED_MAX: usize = 2;
/// Characters of a credential's name. Auth0: Management API v2, create a client credential.
pub const CREDENTIAL_NAME_CHARACTERS_MAX: usize = 128;
/// Characters of a key or certificate in PEM. Auth0: Management API v2, create a client credential, `pem`.
pub const CREDENTIAL_PEM_CHARACTERS_MAX: usize = 4096;
/// Characters of the subject of a certificate. Auth0: Management API v2, create a client credential, `subject_dn`.
pub const CREDENTIAL_SUBJECT_CHARACTERS_MAX: usize = 256;
/// Lifetime of a client's assertion, in seconds: for so long its name is remembered. Auth0: authenticate with private key
/// JWT.
pub const CLIENT_ASSERTION_SECONDS_MAX: i64 = 5 * 60;
/// Seconds by which the clock of a client that signs assertions may be ahead of ours. Auth0: authenticate with private key
/// JWT.
pub const CLIENT_ASSERTION_CLOCK_SKEW_SECONDS: i64 = 10;
/// Characters of an assertion's `jti`. Auth0: authenticate with private key JWT.
pub const CLIENT_ASSERTION_ID_CHARACTERS_MAX: usize = 64;
/// Bytes of a client's assertion. Ours: the largest signature and four times the claims that it must have.
pub const CLIENT_ASSERTION_BYTES_MAX: usize = 4096;
/// Connections of one organization. Ours: all are read at each sign-in to it.
pub const ORGANIZATION_CONNECTIONS_MAX: usize = 100;
/// Applications that one organization names. Auth0: grant application access.
pub const ORGANIZATION_CLIENTS_MAX: usize = 100;
/// Client grants of one organization. Auth0: organizations, client grants.
pub const ORGANIZATION_GRANTS_MAX: usize = 100;
/// Domains of one organization. Ours: more help nobody.
pub const ORGANIZATION_DOMAINS_MAX: usize = 100;
/// How long an invitation is good when nothing is said, in seconds. Auth0: organization invitations, `ttl_sec`.
pub const INVITATION_SECONDS_DEFAULT: i64 = 7 * 24 * 3600;
/// The longest that an invitation is good, in seconds. Auth0: organization invitations, `ttl_sec`.
pub const INVITATION_SECONDS_MAX: i64 = 30 * 24 * 3600;
/// Longest session lifetime in hours. Auth0: session lifetime limits (Enterprise).
pub const SESSION_HOURS_MAX: i64 = 365 * 24;
/// Longest idle session lifetime in hours. Auth0: session lifetime limits (Enterprise).
pub const SESSION_IDLE_HOURS_MAX: i64 = 100 * 24;

const _: () = {
    assert!(
        LOGOUT_DELIVERIES_MAX >= 16 * LOGOUT_DELIVERIES_PER_HOST_MAX,
        "many hosts may hang at once before others wait"
    );
    assert!(OUTBOX_LEASE_MS > 2 * LOGOUT_DELIVERY_MS_MAX, "a lease must outlive its delivery");
    assert!(
        QUEUED_ACTIONS_LEASE_MS.unsigned_abs() > QUEUED_ACTIONS_MS_MAX
            && QUEUED_ACTIONS_MS_MAX > ACTION_TRIGGER_MS_MAX,
        "a lease outlives its try, and a try the Actions"
    );
    assert!(
        LOG_STREAM_LEASE_MS > LOG_STREAM_BATCH_MS_MAX + 2 * LOG_STREAM_POST_MS_MAX,
        "a lease outlives its batch"
    );
    assert!(
        LOG_STREAM_FAILING_MS_MAX < LOG_RETENTION_DAYS as i64 * 24 * 3600 * 1000,
        "what a suspended stream has not sent is still there when somebody looks"
    );
    assert!(
        OUTBOX_LEASE_MS > 2 * LOGOUT_DELIVERY_MS_MAX + CLOCK_ROUND_TRIP_MS_MAX,
        "two nodes whose clocks differ by a round trip do not take a lease from each other"
    );
    assert!(LOGOUT_RETRY_TOTAL_MS > 24 * 3600 * 1000, "deliveries are retried for a day at least");
    assert!(
        SESSION_METADATA_ENTRIES_MAX
            * 6
            * (SESSION_METADATA_KEY_UNITS_MAX + SESSION_METADATA_VALUE_UNITS_MAX + 1)
            < API_BODY_BYTES_MAX,
        "the largest legal metadata, every unit escaped, fits a body"
    );
    assert!(
        ACTION_CACHE_KEY_BYTES_MAX + ACTION_CACHE_VALUE_BYTES_MAX <= ACTION_CACHE_BYTES_MAX,
        "the largest cached value fits its trigger's cache"
    );
    assert!(ACTION_RUN_MS_MAX < ACTION_TRIGGER_MS_MAX, "one Action cannot use up the trigger's time");
    assert!(
        JWT_BYTES_MAX > CUSTOM_CLAIMS_BYTES_MAX / 3 * 4 + 16 * 1024,
        "a token with the largest custom claims can be read back"
    );
    assert!(UPSTREAM_ANSWER_BYTES_MAX > JWT_BYTES_MAX, "the longest token fits an answer");
    assert!(
        UPSTREAM_END_MEMORY_MS > SIGN_IN_MS + SIGN_IN_PAUSES_MAX as i64 * SIGN_IN_PAUSE_MS,
        "the end of an upstream session is remembered for longer than a sign-in can take"
    );
    assert!(CODE_MEMORY_MS > CODE_MS, "a used code is remembered for longer than it lives");
};
