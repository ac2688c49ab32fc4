#!/usr/bin/env bash
# Runs a command with a Redis of its own: on a free port of the loopback device, in a temporary folder, gone at the end.
#
#   scripts/with-redis.sh npm test
#   scripts/with-redis.sh npx vitest run packages/queue
#
# NASTY_TEST_REDIS is its address, NASTY_TEST_REDIS_TLS that of the same server with TLS, and NASTY_TEST_REDIS_CA the
# certificate to trust there.
set -euo pipefail

folder=$(mktemp -d)
free_port() { node -e 'const s=require("node:net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }
port=$(free_port)
tls=$(free_port)
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --save "" --appendonly no --loglevel warning \
  --tls-port "$tls" --tls-cert-file "$folder/cert.pem" --tls-key-file "$folder/key.pem" \
  --tls-ca-cert-file "$folder/cert.pem" --tls-auth-clients no >"$folder/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  redis-cli -p "$port" ping >/dev/null 2>&1 && break
  kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.05
done
export NASTY_TEST_REDIS="redis://127.0.0.1:$port"
export NASTY_TEST_REDIS_TLS="rediss://127.0.0.1:$tls"
export NASTY_TEST_REDIS_CA="$folder/cert.pem"
"$@"
