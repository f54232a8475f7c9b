package sim

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"

	"uswitch/switch/frame"
)

// parseServe reads: serve echo PORT (UDP), or serve http PORT (TCP).
func parseServe(words []string) (command, error) {
	bad := errors.New("want echo or http, and a port")
	if len(words) != 2 {
		return command{}, bad
	}
	port, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil || port == 0 || words[0] != "echo" && words[0] != "http" {
		return command{}, bad
	}
	return command{host: func(h *Host, _ io.Writer) {
		if words[0] == "echo" {
			h.ServeUDP(uint16(port), Echo)
			return
		}
		h.ServeTCP(uint16(port), Page(func(client netip.AddrPort, _ *http.Request) string {
			return fmt.Sprintf("Hello from %s. You are %v.\n", h.name, client)
		}))
	}}, nil
}

// maxRepeats bounds what a step can send.
const maxRepeats = 100000

// parseSend reads: send DESTINATION SOURCE ETHERTYPE HEX [times N] - a frame that need not make sense.
func parseSend(words []string) (command, error) {
	bad := errors.New("want: DESTINATION-MAC SOURCE-MAC ETHERTYPE HEX, and perhaps: times N")
	times := 1
	if len(words) == 6 && words[4] == "times" {
		if numberOption(&times, words[5]) != nil || times > maxRepeats {
			return command{}, bad
		}
		words = words[:4]
	}
	if len(words) != 4 {
		return command{}, bad
	}
	dst, err1 := frame.ParseMAC(words[0])
	src, err2 := frame.ParseMAC(words[1])
	etherType, err3 := strconv.ParseUint(words[2], 16, 16)
	payload, err4 := hex.DecodeString(words[3])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return command{}, errors.Join(bad, err)
	}
	b := append(make([]byte, frame.EthernetHeader), payload...)
	frame.Ethernet(b).SetHeader(dst, src, uint16(etherType))
	return command{host: func(h *Host, _ io.Writer) {
		for range times {
			h.cards[0].Send(b)
		}
	}}, nil
}
