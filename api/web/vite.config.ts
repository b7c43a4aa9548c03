import { defineConfig } from 'vitest/config';

const api = process.env['GRIDSVC_URL'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  // Two pages: the map, and the API documentation for machines without internet.
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { main: 'index.html', docs: 'docs/index.html' } },
    // Fonts and pictures stay files, so that a content security policy needs no exception for them.
    assetsInlineLimit: 0,
    // One chunk is the map library and one is the documentation viewer; both are what they are.
    chunkSizeWarningLimit: 2000,
    // The bundled libraries ask that their licences travel with them.
    license: { fileName: 'assets/licenses.md' },
  },
  server: {
    port: 5173,
    proxy: { '/v1': api, '/openapi.json': api },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
