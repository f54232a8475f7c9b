package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"uswitch/cmd/internal/control/api"
)

// opening is the first message on a WebSocket: who opens it, and what is to run in the terminal.
type opening struct {
	Token   string   `json:"token"`
	Host    string   `json:"host"`
	Args    []string `json:"args"`
	Rows    int      `json:"rows"`
	Columns int      `json:"columns"`
}

// size is a text message later on: the terminal is another size now. What is typed, and what the program writes, are binary messages.
type size struct {
	Rows    int `json:"rows"`
	Columns int `json:"columns"`
}

// Bounds of a terminal.
const (
	openTime   = 5 * time.Second // for the first message
	maxMessage = 64 << 10
	maxSide    = 1000 // rows, columns
)

// terminal runs programs in hosts, each in a terminal of its own, for as long as the page keeps the WebSocket.
func terminal(lab *api.Client, g *guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") == "" { // the guard has seen to all others
			refuse(w, http.StatusForbidden, "the request does not come from this page")
			return
		}
		socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // the guard has verified the origin
		if err != nil {
			return // answered already
		}
		defer socket.CloseNow()
		socket.SetReadLimit(maxMessage)
		first, cancel := context.WithTimeout(r.Context(), openTime)
		_, text, err := socket.Read(first)
		cancel()
		var o opening
		switch {
		case err != nil:
			return
		case json.Unmarshal(text, &o) != nil || !g.knows(o.Token):
			_ = socket.Close(websocket.StatusPolicyViolation, "the token is missing or is not that of this page")
			return
		}
		if err := run(r.Context(), socket, lab, &o); err != nil {
			reason := err.Error()
			_ = socket.Close(websocket.StatusNormalClosure, reason[:min(len(reason), 120)])
			return
		}
		_ = socket.Close(websocket.StatusNormalClosure, "")
	})
}

// run runs the program until it ends, or the page is gone.
func run(ctx context.Context, socket *websocket.Conn, lab *api.Client, o *opening) error {
	if len(o.Args) == 0 {
		return errors.New("want a program to run")
	}
	var made struct{ ID string }
	config := map[string]any{"Cmd": o.Args, "Tty": true, "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Env": []string{"TERM=xterm-256color"}}
	if err := lab.Do(ctx, http.MethodPost, api.DockerPath+"/containers/"+url.PathEscape(o.Host)+"/exec", nil, config, &made); err != nil {
		return err
	}
	path := api.DockerPath + "/exec/" + url.PathEscape(made.ID)
	conn, output, err := lab.Upgrade(ctx, http.MethodPost, path+"/start", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	resize(ctx, lab, path, size{o.Rows, o.Columns})
	go func() {
		defer conn.Close() // the page is gone: so is the terminal
		for {
			kind, message, err := socket.Read(ctx)
			if err != nil {
				return
			}
			var s size
			if kind == websocket.MessageText && json.Unmarshal(message, &s) == nil {
				resize(ctx, lab, path, s)
			} else if _, err := conn.Write(message); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := output.Read(buffer)
		if n > 0 {
			if err := socket.Write(ctx, websocket.MessageBinary, buffer[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// resize tells the program how large its terminal is; one that has ended does not care.
func resize(ctx context.Context, lab *api.Client, path string, s size) {
	if s.Rows > 0 && s.Columns > 0 && s.Rows <= maxSide && s.Columns <= maxSide {
		query := url.Values{"h": {strconv.Itoa(s.Rows)}, "w": {strconv.Itoa(s.Columns)}}
		_ = lab.Do(ctx, http.MethodPost, path+"/resize", query, nil, nil)
	}
}
