# Varnish (7.1 or later) in front of Postly, for a site that is read by many thousands at once.
#
# Readers who are not logged in get the feed, posts and profiles from here; each is asked for again after
# a second, so that nobody sees anything older. All other requests are passed on. TLS ends in front of
# Varnish, for instance at nginx; start Postly with
#   POSTLY_TRUSTED_PROXIES=127.0.0.1/32
# since Varnish adds the address of its client to X-Forwarded-For.
#
# To forget an answer before its second is over (`content` is everything):
#   curl -X PURGE -H 'Surrogate-Key: posts-7' http://127.0.0.1:6081/

vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8000";
    .first_byte_timeout = 30s;
}

acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403));
        }
        if (req.http.Surrogate-Key !~ "^[A-Za-z0-9%._~-]+$") {
            return (synth(400, "Surrogate-Key names what to forget"));
        }
        ban("obj.http.Surrogate-Key ~ (^|\s)" + req.http.Surrogate-Key + "(\s|$)");
        return (synth(200, "Forgotten"));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Who is logged in, has a notice to read or is about to log in gets answers of their own.
    if (req.http.Authorization || req.http.Cookie ~ "(^|;\s*)(__Host-)?postly(_(?!theme=|device=)[a-z]+)?=") {
        return (pass);
    }
    # Of all other cookies, only the theme changes what is shown; Postly answers with Vary: Cookie.
    if (req.http.Cookie ~ "(^|;\s*)(__Host-)?postly_theme=(light|dark)\s*(;|$)") {
        set req.http.Cookie = regsub(req.http.Cookie,
            "^(.*;\s*)?((__Host-)?postly_theme=(light|dark))\s*(;.*)?$", "\2");
    } else {
        unset req.http.Cookie;
    }
    return (hash);
}

sub vcl_backend_response {
    # While an answer is asked for again, the next readers do not wait; if Postly is away, the feed stays
    # readable for a while.
    if (beresp.http.Cache-Control ~ "s-maxage") {
        set beresp.grace = 2s;
    }
}

sub vcl_deliver {
    unset resp.http.Surrogate-Key;
}
