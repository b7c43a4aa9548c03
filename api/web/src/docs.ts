import 'swagger-ui-dist/swagger-ui.css';
import './docs.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

SwaggerUI({
  url: '/openapi.json',
  domNode: document.querySelector('#swagger'),
  deepLinking: true,
  // The badge would be fetched from a public validator; this page must work in a closed network.
  validatorUrl: null,
});
