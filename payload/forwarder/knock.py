"""Which token the daemon takes, asked before a body that cannot be sent twice."""
from exchange import final_response
from http1 import UntilEnd, write_head
from wire import Gone

# The daemon looks at the token of whatever is no read before it looks for the path, and there is none to find.
NOWHERE = b"POST /ringrift-p2p/token HTTP/1.1"
ROUNDS = 16


async def settle(pool, badge, host, patience):
    """(wire, token): the process at the other end takes the token, as far as one on this host is taken. @raises Failed, Gone, ValueError, OverflowError"""
    token, tried, wire, used, fresh = badge.taken, [], None, False, False
    for _ in range(ROUNDS):
        if wire is None:
            wire, used = await pool.take(fresh)
        try:
            response, keeps = await _ask(wire, [host, *badge.lines(token)], patience)
        except Gone:
            wire.abort("gone")
            if not used:
                raise
            wire, fresh = None, True
            continue
        except (ValueError, OverflowError):
            wire.abort("out of step")
            raise
        if not keeps:
            wire.abort("done")
            wire = None
        if response.status != 401:
            badge.taken = token
            break
        tried.append(token)
        others = badge.others(tried)
        if not others:
            # Its own refusal is the answer.
            token = badge.taken
            break
        token = others[0]
    if wire is None:
        wire, _ = await pool.take(True)
    return wire, token


async def _ask(wire, lines, patience):
    """(response, whether the connection serves again)"""
    wire.patience = patience
    wire.send(write_head(NOWHERE, [*lines, b"Content-Length: 0"]))
    response = await final_response(wire)
    body = response.body(b"POST")
    if not body.done:
        await wire.pump(body, None)
    return response, response.keeps() and not isinstance(body, UntilEnd)
