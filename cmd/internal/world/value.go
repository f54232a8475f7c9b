package world

import (
	"fmt"
	"strconv"
	"time"
)

// The readers below read a value as people type it into a variable.

// onOff reads a switch, as `bridge link set` and sysctl write it.
func onOff(v *bool) func(string) error {
	return func(text string) error {
		switch text {
		case "on", "1", "true":
			*v = true
		case "off", "0", "false":
			*v = false
		default:
			return fmt.Errorf("%q: want on or off", text)
		}
		return nil
	}
}

// only reads the one word that means something.
func only(word string, v *string) func(string) error {
	return func(text string) error {
		if text != word {
			return fmt.Errorf("%q: want %s", text, word)
		}
		*v = word
		return nil
	}
}

// mask reads sixteen bits, as ip link and sysfs do: 0x4000, or 16384.
func mask(v *int) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseUint(text, 0, 16)
		if err != nil {
			return fmt.Errorf("%q: want a number from 0 to 0xffff", text)
		}
		*v = int(n)
		return nil
	}
}

// zeroOne is onOff for what sysctl knows as a number.
func zeroOne(v *bool) func(string) error {
	return func(text string) error {
		if onOff(v)(text) != nil {
			return fmt.Errorf("%q: want 0 or 1", text)
		}
		return nil
	}
}

func number(v *int, least, most int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q: want a number from %d to %d", text, least, most)
		}
		*v = n
		return nil
	}
}

// duration reads whole seconds, as the kernel's timeouts are written.
func duration(v *time.Duration) func(string) error {
	return func(text string) error {
		n := 0
		if err := number(&n, 1, 1<<31-1)(text); err != nil {
			return fmt.Errorf("%w of seconds", err)
		}
		*v = time.Duration(n) * time.Second
		return nil
	}
}

func text(v *string) func(string) error {
	return func(text string) error {
		*v = text
		return nil
	}
}
