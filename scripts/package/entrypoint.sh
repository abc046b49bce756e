#!/bin/sh
# How the container starts: as root for as long as it takes to stop being root. The user 10001 gets nothing more than the
# gateway role needs of what the container was given (--cap-add NET_ADMIN, NET_RAW), as ambient capabilities: a file
# capability on the program would not reach ip, nft and tc, which do the work.
set -eu
program=${GATEHOUSE_PROGRAM:-/usr/bin/gatehouse}
gateway=no
case " $* ${GATEHOUSE_ROLE:-} " in
*" gateway "* | *"=gateway "*)
	gateway=yes
	# As in the unit for systemd.
	export DENO_V8_FLAGS="${DENO_V8_FLAGS:---max-semi-space-size=4,--max-old-space-size=128}"
	;;
esac
[ "$(id -u)" = 0 ] || exec "$program" "$@"
have=0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
keep=-all
if [ $gateway = yes ]; then
	[ $((have >> 12 & 1)) = 0 ] || keep=$keep,+net_admin
	[ $((have >> 13 & 1)) = 0 ] || keep=$keep,+net_raw
fi
exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs \
	--inh-caps="$keep" --ambient-caps="$keep" --bounding-set="$keep" -- "$program" "$@"
