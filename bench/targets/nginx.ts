import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Target } from "./target.ts";
import { findFreePort, isListening, whenReady } from "./when-listening.ts";

/** One worker with kept-alive upstream connections: the floor of any proxy. Used where it is installed. */
export const nginx: Target = {
  name: "nginx",
  title: "nginx, one worker",
  isRival: true,
  prepare: async () => {
    try {
      execFileSync("nginx", ["-v"], { stdio: "ignore" });
      return undefined;
    } catch {
      return "nginx is not installed";
    }
  },
  start: async ({ spawn, upstreamPort, directory }) => {
    const port = await findFreePort();
    const file = join(directory, "nginx.conf");
    await writeFile(file, configure(port, upstreamPort, directory));
    const child = spawn("nginx", ["-c", file, "-p", directory]);
    const readyMs = await whenReady(child, () => isListening(port));
    return { port, path: "/v1/chat/completions", headers: {}, pid: child.pid as number, readyMs };
  },
};

function configure(port: number, upstreamPort: number, directory: string): string {
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 2m;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  keepalive_requests 10000000;
  upstream provider { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 10000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
    }
  }
}
`;
}
