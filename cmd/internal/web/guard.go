package web

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// guard says whose requests are answered.
type guard struct {
	token string
	port  string // of the address listened at; empty: a unix socket, which is reached by whatever port somebody forwards to it
}

// policy is what the page may load and run: what comes from here. xterm.js makes style elements.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// local reports whether a host and port, as a browser writes them, are this server's.
func (g *guard) local(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, ""
	}
	return (host == "127.0.0.1" || host == "localhost") && (g.port == "" || port == g.port)
}

// own reports whether a request comes from the page itself, by its Origin; one without is no browser's, or asks for what any page
// may have.
func (g *guard) own(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	rest, http := strings.CutPrefix(origin, "http://")
	return http && rest == r.Host && g.local(rest)
}

// knows reports whether somebody knows the token.
func (g *guard) knows(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
}

// check answers for all requests what holds for all, and hands on those that may come.
func (g *guard) check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !g.local(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this is the page of a lab: ask for it as 127.0.0.1 or localhost, at the port it was given")
		case !g.own(r):
			refuse(w, http.StatusForbidden, "the request does not come from this page")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// secret hands on the requests of those who know the token.
func (g *guard) secret(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer || !g.knows(token) {
			refuse(w, http.StatusUnauthorized, "the token is missing or is not that of this page: open the address that uswitch has printed")
			return
		}
		next.ServeHTTP(w, r)
	})
}
