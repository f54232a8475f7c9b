// Package serve is a small web server for hosts of a lab: its page says who answers, and what address the question came
// from, which is the interesting thing behind a NAT.
package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Run serves on a TCP port until ctx ends, and writes a line for each request.
func Run(ctx context.Context, port uint16, log io.Writer) error {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port)) // of both families, where there are both
	if err != nil {
		return err
	}
	return On(ctx, listener, Name(), log)
}

// On serves on a listener, in somebody's name, until ctx ends, and closes it.
func On(ctx context.Context, listener net.Listener, name string, log io.Writer) error {
	server := &http.Server{
		Handler:           Page(name, log),
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Fprintf(log, "serving on port %d\n", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Name returns who answers: the host of the lab, or else this machine.
func Name() string {
	name, _ := os.Hostname()
	return cmp.Or(os.Getenv("USWITCH_HOST"), name)
}

// Page answers every GET with two lines of text.
func Page(name string, log io.Writer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(log, "%s %q from %s\n", r.Method, r.URL.Path, r.RemoteAddr)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "want GET", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		fmt.Fprintf(w, "Hello from %s at %v.\nYou are %s, as seen from here.\n", name, local, r.RemoteAddr)
	})
}
