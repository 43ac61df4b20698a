# validate URL TOKEN: spends the token, and prints "accepted", "refused REASON" or "unknown". For bash.
validate() {
  local key reply status after pause known=yes end=$((SECONDS + 15))
  key=$(openssl rand -hex 16) # one for all tries
  [[ $2 =~ ^[A-Za-z0-9._-]+$ ]] || { echo "refused invalid_token"; return; }
  for pause in 1 2 3 15; do
    # In files, because other users can see the arguments of a process.
    reply=$(curl -q -s -m 3 -X POST -w '\n%{http_code} %header{retry-after}' "$1/validate" \
      -H @<(printf 'X-Access-Token: %s\nIdempotency-Key: %s\n' "$2" "$key"))
    read -r status after <<<"${reply##*$'\n'}"
    case $status in
      200) if [[ $reply == *'"isValid":true'* ]]; then echo accepted; return; else known=; fi ;;
      429) ;; # it did not reach the function
      403) echo unknown; return ;; # the firewall
      4*) if [[ $known && $reply =~ '"reason":"'([a-z_]+) ]]; then echo "refused ${BASH_REMATCH[1]}"; else echo unknown; fi
          return ;;
      *) known= ;; # 5xx, or no answer: the token may be spent
    esac
    [[ $after =~ ^[0-9]+$ ]] && pause=$((10#${after:0:4}))
    ((SECONDS + pause + 3 <= end)) || break
    sleep "$pause"
  done
  echo unknown
}
