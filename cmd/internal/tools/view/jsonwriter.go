package view

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// IPRouteJSON writes a value as iproute2's programs do: on one line, or with -pretty as their json_writer.c lays it out.
func IPRouteJSON(w io.Writer, v any, pretty bool) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if pretty {
		text = layOut(text)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// layOut puts each key on a line of its own, and each object of a list behind the one before:
//
//	[ {
//	        "ifindex": 1,
//	        "flags": [ "LOOPBACK","UP" ]
//	    },{
//	        ...
//	    } ]
func layOut(text []byte) []byte {
	l := layout{in: json.NewDecoder(bytes.NewReader(text))}
	l.in.UseNumber()
	l.value()
	return l.out.Bytes()
}

// layout is a document on its way; what it reads has been written by json.Marshal, and has no mistakes.
type layout struct {
	in    *json.Decoder
	out   bytes.Buffer
	depth int // of objects and lists around
}

func (l *layout) line() { l.out.WriteString("\n" + strings.Repeat("    ", l.depth)) }

func (l *layout) value() {
	token, _ := l.in.Token()
	switch token {
	case json.Delim('{'):
		l.object()
	case json.Delim('['):
		l.list()
	default:
		text, _ := json.Marshal(token)
		l.out.Write(text)
	}
}

func (l *layout) object() {
	l.out.WriteByte('{')
	l.depth++
	separator := ""
	for ; l.in.More(); separator = "," {
		l.out.WriteString(separator)
		l.line()
		l.value()
		l.out.WriteString(": ")
		l.value()
	}
	l.depth--
	if separator != "" {
		l.line()
	}
	_, _ = l.in.Token()
	l.out.WriteByte('}')
}

func (l *layout) list() {
	l.out.WriteString("[ ")
	l.depth++
	separator := ""
	for ; l.in.More(); separator = "," {
		l.out.WriteString(separator)
		l.value()
	}
	l.depth--
	if separator != "" {
		l.out.WriteByte(' ')
	}
	_, _ = l.in.Token()
	l.out.WriteByte(']')
}
