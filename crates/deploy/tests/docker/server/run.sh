case "$1" in
  migrate)
    [ ! -e /srv/fail-migrate ] || { echo "relation exists already: $(cat /run/secrets/database_url)" >&2; exit 3; }
    echo "up to date" ;;
  *)
    [ ! -e /srv/crash ] || { echo "cannot log in: $(cat /run/secrets/database_url)" >&2; exit 3; }
    exec caddy run --config /srv/Caddyfile --adapter caddyfile ;;
esac
