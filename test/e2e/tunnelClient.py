"""Requests to tunnels' names as a node makes them: with the service token that it has at that moment."""
import http.client, json, os, socket, ssl, sys, time, urllib.parse

TOKEN = "/etc/ringrift/access-token.json"


def headers(kind):
    if kind == "none":
        return {}
    with open(TOKEN) as file:
        token = json.load(file)
    return {"CF-Access-Client-Id": token["client_id"], "CF-Access-Client-Secret": token["client_secret"]}


def ask(link, parts, sent):
    link.request("GET", parts.path or "/health", headers=sent)
    answer = link.getresponse()
    body = answer.read()
    if answer.status != 200:
        return str(answer.status)
    return json.loads(body)["node_id"]


def connect(parts, edge=None):
    """`edge` is a name whose address is dialled instead: the zone says nothing of a name that nobody has."""
    link = http.client.HTTPSConnection(parts.hostname, 443, timeout=110, context=ssl.create_default_context())
    if edge:
        dial = link._create_connection
        link._create_connection = lambda address, *rest: dial((socket.gethostbyname(edge), address[1]), *rest)
    return link


def count(kind, number, url, edge=None):
    """How often which node, or which status, answered."""
    parts, answers, link = urllib.parse.urlsplit(url), {}, None
    for index in range(number):
        # Some connections are used again, as a client would, and some are not.
        if index % 20 == 0:
            link = connect(parts, edge)
        try:
            answer = ask(link, parts, headers(kind))
        except ConnectionError:
            # An edge may close a connection that was idle; no client calls that a failure.
            if index % 20 == 0:
                raise
            link = connect(parts, edge)
            answer = ask(link, parts, headers(kind))
        answers[answer] = answers.get(answer, 0) + 1
    return answers


def watch(stop, urls):
    """Asks in turn until a file is there. What failed, and how many there were."""
    asked, failures = 0, []
    while not os.path.exists(stop):
        for url in urls:
            parts = urllib.parse.urlsplit(url)
            try:
                answer = ask(connect(parts), parts, headers("token"))
            except Exception as error:
                answer = repr(error)
            asked += 1
            if not answer[:1].isalpha() or "(" in answer:
                failures.append("%s: %s" % (url, answer))
        time.sleep(0.02)
    return {"asked": asked, "failures": failures}


if sys.argv[1] == "count":
    print(json.dumps(count(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])))
else:
    print(json.dumps(watch(sys.argv[2], sys.argv[3:])))
