package simhost

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// sleep waits, and reports whether it was let.
func (c *call) sleep(d time.Duration) bool {
	return c.Loop().Sleep(c.Ctx, d) == nil
}

// runSleep is coreutils' sleep: seconds, or with a unit, added up; and infinity.
func runSleep(c *call) int {
	if len(c.Args) == 0 {
		return c.Fail(1, "missing operand")
	}
	var all time.Duration
	for _, word := range c.Args {
		d, err := interval(word)
		if err != nil {
			return c.Fail(1, "invalid time interval '%s'", word)
		}
		all += d
	}
	c.sleep(all)
	return 0
}

// interval reads a time as sleep does: 5, 0.5, 2m, infinity.
func interval(word string) (time.Duration, error) {
	if word == "infinity" {
		return forever, nil
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		word = strconv.FormatFloat(n, 'f', -1, 64) + "s"
	}
	if days, isDays := strings.CutSuffix(word, "d"); isDays {
		n, err := strconv.ParseFloat(days, 64)
		return time.Duration(n * float64(24*time.Hour)), err
	}
	d, err := time.ParseDuration(word)
	if err == nil && (d < 0 || d > forever) {
		err = errors.New("out of range")
	}
	return d, err
}

const forever = 100 * 365 * 24 * time.Hour

// runEcho is echo with -n.
func runEcho(c *call) int {
	words, end := c.Args, "\n"
	if len(words) > 0 && words[0] == "-n" {
		words, end = words[1:], ""
	}
	fmt.Fprint(c.Stdout, strings.Join(words, " ")+end)
	return 0
}

func runHostname(c *call) int {
	fmt.Fprintln(c.Stdout, c.Namespace.Hostname())
	return 0
}

// runCat copies files, or its input for - and for nothing.
func runCat(c *call) int {
	names, status := c.Args, 0
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		var err error
		if name == "-" {
			_, err = io.Copy(c.Stdout, c.Stdin)
		} else {
			err = c.copyFile(name)
		}
		if err != nil {
			status = c.Fail(1, "%s: %v", name, reason(err))
		}
	}
	return status
}

func (c *call) copyFile(name string) error {
	f, err := c.Namespace.OpenFile(c.Dir, name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(c.Stdout, f)
	return err
}

// reason is what is wrong, without the name of what it is wrong with, as programs write it.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
