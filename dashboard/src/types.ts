// What the Management API answers, as narrow as the screens need it. Written by hand: there is no OpenAPI file of ours yet.

export interface Session {
  id: string;
  user_id: string;
  created_at: string;
  updated_at: string;
  authenticated_at: string;
  idle_expires_at: string;
  expires_at: string;
  last_interacted_at: string;
  device: { initial_user_agent: string | null; initial_ip: string | null; last_user_agent: string | null; last_ip: string | null };
  clients: { client_id: string }[];
  authentication: { methods: { name: string; timestamp: string; type?: string }[] };
  cookie: { mode: string };
  session_metadata: Record<string, string> | null;
}

export interface LogoutSettings {
  backchannel_logout_urls?: string[];
  backchannel_logout_initiators?: { mode: 'all' } | { mode: 'custom'; selected_initiators: string[] };
  backchannel_logout_session_metadata?: { include: boolean };
  [other: string]: unknown;
}

export interface Client {
  client_id: string;
  client_secret?: string;
  name: string;
  description?: string;
  app_type?: string;
  callbacks?: string[];
  allowed_logout_urls?: string[];
  web_origins?: string[];
  allowed_origins?: string[];
  grant_types: string[];
  token_endpoint_auth_method?: string;
  jwt_configuration: { lifetime_in_seconds: number };
  refresh_token: { rotation_type: string; expiration_type: string; token_lifetime: number; leeway: number; [other: string]: unknown };
  oidc_logout?: LogoutSettings;
}

export interface User {
  user_id: string;
  email?: string;
  email_verified?: boolean;
  name?: string;
  nickname?: string;
  blocked?: boolean;
  created_at: string;
  last_login?: string;
  last_ip?: string;
  logins_count?: number;
  identities: { connection: string; provider: string }[];
  user_metadata?: Record<string, unknown>;
  app_metadata?: Record<string, unknown>;
}

export interface LogEvent {
  log_id: string;
  date: string;
  type: string;
  description?: string;
  client_id?: string;
  client_name?: string;
  user_id?: string;
  user_name?: string;
  session_id?: string;
  ip?: string;
  user_agent?: string;
  details?: { actions?: { executions?: string[] }; [other: string]: unknown };
}

export interface Delivery {
  id: string;
  client_id: string;
  session_id: string;
  user_id: string;
  initiator: string;
  backchannel_logout_url: string;
  state: string;
  deferred: boolean;
  created_at: string;
  attempts: number;
  last_attempt_at: string | null;
  last_status: number | null;
  last_error: string | null;
  delivered_at: string | null;
  next_attempt_at: string | null;
  expires_at: string | null;
}

export interface Action {
  id: string;
  name: string;
  code: string;
  supported_triggers: { id: string; version: string }[];
  all_changes_deployed: boolean;
  updated_at: string;
  deployed_version?: { id: string; number: number; built_at: string };
}

export interface Binding {
  id: string;
  display_name: string;
  action: { id: string; name: string };
}

export interface Tenant {
  friendly_name: string;
  picture_url: string;
  support_email: string;
  support_url: string;
  session_lifetime: number;
  idle_session_lifetime: number;
  session_cookie: { mode: string };
  sessions: { oidc_logout_prompt_enabled: boolean; oidc_session_management_enabled: boolean };
  oidc_logout: { rp_logout_end_session_endpoint_discovery: boolean };
  allowed_logout_urls: string[];
  include_session_metadata_in_tenant_logs: boolean;
}
