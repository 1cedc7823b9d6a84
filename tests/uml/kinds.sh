# tests/uml/kinds.sh: runs in the guest: the tunnel kinds of kinds.py that KINDS_WANTED names.
exec python3 -B "${GUEST%/*}/kinds_guest.py"
