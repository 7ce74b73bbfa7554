#!/usr/bin/env node
import { startProvider } from "../testing/provider.js";

const { issuer } = await startProvider({ port: 9000 });
console.log(`a provider for trying things out, without passwords: ${issuer}`);
console.log(`start the service with OAUTH_ISSUER=${issuer} OAUTH_CLIENT_ID=notes \\`);
console.log("  OAUTH_REDIRECT_URI=http://127.0.0.1:8080/callback");
