// How the dashboard is built: into `.build`, from where `build/finish.mjs` takes it.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/manage/',
  plugins: [react()],
  build: { outDir: '.build', emptyOutDir: true, target: 'es2022', manifest: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
