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
	var out bytes.Buffer
	depth, empty := 0, true // how deep, and whether what is open has nothing in it yet
	line := func() { out.WriteString("\n" + strings.Repeat("    ", depth)) }
	inside := json.NewDecoder(bytes.NewReader(text))
	inside.UseNumber()
	var lists []bool // for each level: is it a list?
	name := false    // the next value has a key in front
	for {
		token, err := inside.Token()
		if err != nil {
			return out.Bytes()
		}
		closing := token == json.Delim('}') || token == json.Delim(']')
		key := len(lists) > 0 && !lists[len(lists)-1] && !name && !closing
		if !closing && !name && !empty {
			out.WriteByte(',')
		}
		if key {
			line()
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				out.WriteByte('{')
				depth++
			case '[':
				out.WriteString("[ ")
				depth++
			case '}':
				depth--
				if !empty {
					line()
				}
				out.WriteByte('}')
			case ']':
				depth--
				if !empty {
					out.WriteByte(' ')
				}
				out.WriteByte(']')
			}
			if closing {
				lists = lists[:len(lists)-1]
			} else {
				lists = append(lists, t == '[')
			}
		default:
			value, _ := json.Marshal(t)
			out.Write(value)
			if key {
				out.WriteString(": ")
			}
		}
		empty = token == json.Delim('{') || token == json.Delim('[')
		name = key
	}
}
