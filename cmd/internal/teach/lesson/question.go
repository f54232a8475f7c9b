package lesson

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// question asks the person, and then the switch.
func (p *player) question(ctx context.Context, q *Question) error {
	if q.Kind == "ports" {
		return p.portsQuestion(ctx, q)
	}
	z, err := p.quiz(ctx, q)
	if err != nil {
		return err
	}
	given, err := p.ask(ctx, z.Choices)
	if err != nil {
		return err
	}
	p.grade(z, given)
	return nil
}

// portsQuestion has the frame sent after the person has said where it will go; the trace is the key.
func (p *player) portsQuestion(ctx context.Context, q *Question) error {
	var ports []api.Port
	if err := p.lab.Get(ctx, "/v1/ports", nil, &ports); err != nil {
		return err
	}
	z := &Quiz{}
	for _, port := range ports {
		if !slices.Contains(z.Choices, port.Name) {
			z.Choices = append(z.Choices, port.Name)
		}
	}
	given, err := p.ask(ctx, z.Choices)
	if err != nil {
		return err
	}
	c := Command{Text: q.Command}
	if _, err := p.await(ctx, &Step{Question: q}, c); err != nil {
		return err
	}
	w, err := watch(ctx, p.lab, q) // now, so that nothing of the person's own is seen
	if err != nil {
		return err
	}
	defer w.stop()
	if _, _, err := p.shell.run(ctx, c.Text); err != nil {
		return err
	}
	p.say("")
	right, why, err := w.receivers(ctx)
	if err != nil {
		return err
	}
	z.Because = why
	if err := z.mark(right...); err != nil {
		return err
	}
	p.grade(z, given)
	return nil
}

// ask shows the choices and returns what the person has chosen; nothing where nobody is asked.
func (p *player) ask(ctx context.Context, choices []string) (given []int, err error) {
	for i, c := range choices {
		p.say("  %d) %s", i+1, c)
	}
	if p.Auto {
		return nil, nil
	}
	for {
		fmt.Fprintf(p.Out, "%s ", p.dim("["+choose.in(p.Language)+"; skip, quit]"))
		line, err := p.read(ctx)
		switch {
		case err != nil:
			return nil, err
		case line == "quit":
			return nil, errQuit
		case line == "skip":
			return nil, nil
		}
		if given, ok := numbers(line, len(choices)); ok {
			return given, nil
		}
		p.say("%s %d.", noChoice.in(p.Language), len(choices))
	}
}

// numbers reads numbers from 1 to most, as indices.
func numbers(line string, most int) (all []int, ok bool) {
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > most {
			return nil, false
		}
		all = append(all, n-1)
	}
	slices.Sort(all)
	return slices.Compact(all), len(all) > 0
}

// grade compares what was chosen with the key, and shows the key.
func (p *player) grade(z *Quiz, given []int) {
	p.asked++
	switch {
	case slices.Equal(given, z.Key):
		p.right++
		p.say("  %s", p.green(right.in(p.Language)))
	case len(given) > 0:
		p.say("  %s", p.red(notQuite.in(p.Language)))
	}
	var words []string
	for _, i := range z.Key {
		words = append(words, z.Choices[i])
	}
	p.wrap("  ", keyIs.in(p.Language)+": "+strings.Join(words, ", "))
	p.wrap("    ", "("+z.Because+")")
	p.say("")
}

// Question is what the learner is asked before it is seen. Nobody has written the key down: it is what the switch then says
// or does.
//
//	{kind: ports, from, to, frame, command: ...}         which ports get the frame for to that the command makes from send?
//	{kind: rule, from, to, tcp|udp, way, hook}           which rule decides there?
//	{kind: source, from, to, tcp|udp, way}               which address does the packet come from in the end?
//	{kind: destination, from, to, tcp|udp, way}          which address does it go to in the end?
//	{kind: reach, from, to, tcp|udp}                     does it get an answer?
//	{kind: stop, from, to, tcp|udp}                      where does it end?
type Question struct {
	Kind    string `yaml:"kind"`
	From    string `yaml:"from"`
	To      string `yaml:"to"`
	TCP     uint16 `yaml:"tcp"`
	UDP     uint16 `yaml:"udp"`
	Size    int    `yaml:"size"` // of a ping
	DF      bool   `yaml:"df"`
	Way     string `yaml:"way"`     // question, the default, or answer
	Hook    string `yaml:"hook"`    // forward unless said otherwise
	Frame   string `yaml:"frame"`   // arp, ip or ipv6: the first such frame counts: an ARP question, a packet of the protocol, any packet of IPv6
	Command string `yaml:"command"` // that makes From send it
}

var questionKinds = []string{"ports", "rule", "source", "destination", "reach", "stop"}

// check refuses a question that makes no sense, and fills in what need not be said.
func (q *Question) check() error {
	switch {
	case !slices.Contains(questionKinds, q.Kind):
		return fmt.Errorf("kind %q: want one of %v", q.Kind, questionKinds)
	case q.From == "":
		return errors.New("from is missing: who sends it")
	case q.Kind == "ports" && (q.To == "" || q.Command == "" || ethertypes[q.Frame] == ""):
		return errors.New("ports: want command, frame: arp, ip or ipv6, and to: the address that the frame asks for or goes to")
	case q.Kind != "ports" && (q.To == "" || q.Command != "" || q.Frame != ""):
		return fmt.Errorf("%s: want from and to, and neither command nor frame", q.Kind)
	case q.TCP != 0 && q.UDP != 0:
		return errors.New("want tcp or udp, not both")
	case q.Way != "" && q.Way != "question" && q.Way != "answer":
		return fmt.Errorf("way %q: want question or answer", q.Way)
	}
	if q.Way == "" {
		q.Way = "question"
	}
	if q.Hook == "" {
		q.Hook = "forward"
	}
	return nil
}

// protocol returns the word for what is sent.
func (q *Question) protocol() string {
	switch {
	case q.TCP != 0:
		return "tcp"
	case q.UDP != 0:
		return "udp"
	}
	return "icmp"
}

// Quiz is a question with everything that can be answered, and what is right.
type Quiz struct {
	Choices []string
	Key     []int  // indices of the right ones, ascending
	Because string // in the switch's words
}

// mark notes the choices that are right. Every one of them must be there.
func (z *Quiz) mark(right ...string) error {
	for _, r := range right {
		i := slices.Index(z.Choices, r)
		if i < 0 {
			return fmt.Errorf("the switch's answer, %q, is none of the choices %q", r, z.Choices)
		}
		z.Key = append(z.Key, i)
	}
	slices.Sort(z.Key)
	z.Key = slices.Compact(z.Key)
	if len(z.Key) == 0 {
		return errors.New("no choice is right")
	}
	return nil
}
