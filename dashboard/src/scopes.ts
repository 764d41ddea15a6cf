// What the dashboard asks for: the scopes that its screens use, and no others.

export const SCOPES = [
  'read:actions', 'create:actions', 'update:actions', 'delete:actions',
  'read:clients', 'create:clients', 'update:clients', 'delete:clients', 'read:client_keys',
  'read:connections',
  'read:logout_deliveries', 'update:logout_deliveries',
  'read:logs',
  'read:sessions', 'update:sessions', 'delete:sessions',
  'read:tenant_settings', 'update:tenant_settings',
  'read:users', 'create:users', 'update:users', 'delete:users',
] as const;
