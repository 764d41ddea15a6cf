// What the log's codes mean, in few words. A code that is not here is shown as it is.

const NAMES: Record<string, string> = {
  s: 'Signed in',
  ssa: 'Signed in silently',
  f: 'Sign-in failed',
  fp: 'Wrong password',
  fu: 'Unknown user',
  fsa: 'Silent sign-in failed',
  ss: 'Signed up',
  fs: 'Sign-up failed',
  slo: 'Signed out',
  flo: 'Sign-out failed',
  seacft: 'Code exchanged',
  feacft: 'Code exchange failed',
  sertft: 'Token refreshed',
  fertft: 'Refresh failed',
  ferrt: 'Refresh token reused',
  seccft: 'Client credentials exchanged',
  feccft: 'Client credentials failed',
  scp: 'Password changed',
  sdu: 'User deleted',
  sapi: 'Management API',
  actions_execution_failed: 'Actions failed',
  oidc_backchannel_logout_succeeded: 'Logout token delivered',
  oidc_backchannel_logout_failed: 'Logout token not delivered',
  session_revoked: 'Session revoked',
  srrt: 'Refresh token revoked',
  w: 'Warning',
};

export const eventName = (code: string): string => NAMES[code] ?? code;
