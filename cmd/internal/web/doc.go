// Package web is the page: a small server that gives a browser the page's files, and hands on what the page asks the lab. It is
// one more client of control/api; of the lab it knows nothing else.
//
//	browser                     this package                                       the lab
//	  the page <--- files ------ its files (bundled, embedded)
//	  fetch()  ---- /v1/... ---> guard: Host, Origin, token --> allowed? --> control/api --> its socket
//	  xterm.js ---- WebSocket -> guard, token as its first message ------> exec in a host, with a terminal
//
// Whoever may talk to a lab can run programs in it, so nobody else may: the server listens on this machine alone; the browser
// proves by a token that it was given the address; a name that leads here from elsewhere (DNS rebinding) is refused by its Host, a
// page of somebody else's by its Origin. There is no cookie: those know no ports, and another user's server on 127.0.0.1 would be sent it.
//
// page/ has the sources of the page, and page/dist what `make web` makes of them.
package web
