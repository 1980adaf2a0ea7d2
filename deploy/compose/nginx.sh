#!/bin/sh
# The image of nginx runs this before it starts: deploy/nginx.conf, with the host name and the certificate
# of this installation, and with all instances of Postly as upstream servers.
set -eu
host=${SITE_HOST:?the host name of the site}
tls=${TLS_FOLDER:-/etc/postly/tls}

if [ ! -e "$tls/fullchain.pem" ]; then
  echo "90-postly.sh: no certificate in $tls: signing one for $host"
  mkdir -p "$tls"
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$host" \
      -addext "subjectAltName=DNS:$host" -keyout "$tls/privkey.pem" -out "$tls/fullchain.pem" 2>/dev/null
  )
fi

# The network's own name server knows an address for each instance. From version 1.27.3 on, nginx asks it
# again every two seconds, so that instances may come and go; an older one keeps the addresses of its start.
version=$(nginx -v 2>&1 | sed 's|.*/\([0-9.]*\).*|\1|')
resolve=' resolve'
if [ "$(printf '%s\n' 1.27.3 "$version" | sort -V | head -n 1)" != 1.27.3 ]; then resolve=''; fi

sed -e "s/posts\.example/$host/g" \
  -e "s|/etc/letsencrypt/live/$host|$tls|" \
  -e "s|/var/lib/nginx/postly|${CACHE_FOLDER:-/var/cache/nginx}/postly|" \
  -e "s|^    upstream postly {|    resolver 127.0.0.11 valid=2s ipv6=off;\n\n&|" \
  -e "s|server 127.0.0.1:8000 |server postly:8000$resolve |" \
  "${SOURCE:-/etc/postly/nginx.conf}" >"${TARGET:-/etc/nginx/nginx.conf}"
