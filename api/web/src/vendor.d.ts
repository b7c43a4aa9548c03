declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  interface SwaggerOptions {
    url: string;
    domNode: Element | null;
    deepLinking?: boolean;
    validatorUrl?: string | null;
  }
  export default function SwaggerUI(options: SwaggerOptions): unknown;
}
