package lesson

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/teach/check"
	spoken "uswitch/cmd/internal/words"
)

// quiz asks the switch, on a copy of the lab, and makes choices of what could be the answer.
func (p *player) quiz(ctx context.Context, q *Question) (*Quiz, error) {
	question := api.Question{From: q.From, To: q.To, Protocol: q.protocol(), Port: max(q.TCP, q.UDP), Size: q.Size, DontFragment: q.DF}
	answer, err := p.subject.Explain(ctx, question)
	if err != nil {
		return nil, err
	}
	switch q.Kind {
	case "rule":
		return p.ruleQuiz(ctx, q, answer)
	case "source", "destination":
		return p.addressQuiz(ctx, q, answer)
	case "stop":
		return p.stopQuiz(ctx, answer)
	}
	sent, err := check.Live{Lab: p.lab}.Send(ctx, []api.Asked{{Question: question, Predicted: answer.Verdict, Address: answer.Address}})
	if err != nil {
		return nil, err
	}
	if sent[0] != nil {
		answer.Settle(spoken.In, sent[0])
	}
	if answer.Verdict == api.NotKnown {
		return nil, fmt.Errorf("whether it works is not known: %s", answer.Unknown)
	}
	z := &Quiz{Choices: []string{yes.in(p.Language), no.in(p.Language)}, Key: []int{1}, Because: answer.Sentence}
	if answer.Works {
		z.Key[0] = 0
	}
	return z, nil
}

// ruleQuiz offers the rules of the chain where the decision is made.
func (p *player) ruleQuiz(ctx context.Context, q *Question, answer *api.Answer) (*Quiz, error) {
	for i := range answer.Phases {
		f := &answer.Phases[i]
		if string(f.Way) != q.Way || f.Type != q.Hook || f.Rule == nil {
			continue
		}
		rows, err := p.subject.Table(ctx, "rules")
		if err != nil {
			return nil, err
		}
		z := &Quiz{Because: fmt.Sprintf("%s %s: %s", f.Where, f.Type, f.Rule)}
		for _, row := range rows {
			rule, ok := strings.CutPrefix(row, "-t "+f.Rule.Table+" ")
			fields := strings.Fields(rule)
			if ok && len(fields) > 1 && fields[len(fields)-1] != "-" && (fields[1] == f.Rule.Chain || fields[1] == strings.ToUpper(q.Hook)) {
				z.Choices = append(z.Choices, rule)
			}
		}
		return z, z.mark(f.Rule.Text)
	}
	return nil, fmt.Errorf("no rule decides at %s on the way of the %s", q.Hook, q.Way)
}

// addressQuiz offers the addresses of everybody in the lab, and the one that was asked for.
func (p *player) addressQuiz(ctx context.Context, q *Question, answer *api.Answer) (*Quiz, error) {
	hosts, devices, err := p.people(ctx)
	if err != nil {
		return nil, err
	}
	z := &Quiz{Choices: []string{answer.Address}}
	own := answer.Address
	for _, h := range hosts {
		for _, i := range h.Interfaces {
			z.Choices = append(z.Choices, i.Address.Addr().String())
			if h.Name == q.From && q.Kind == "source" {
				own = i.Address.Addr().String()
			}
		}
	}
	for _, d := range devices {
		if d.Address.IsValid() && d.Kind != api.KindLoopback {
			z.Choices = append(z.Choices, d.Address.Addr().String())
		}
	}
	slices.Sort(z.Choices)
	z.Choices = slices.Compact(z.Choices)
	z.Because = "nothing translates it"
	for i := range answer.Phases {
		f := &answer.Phases[i]
		if string(f.Way) != q.Way || f.After == "" {
			continue
		}
		source, destination, _ := strings.Cut(f.After, " > ")
		if own = addressIn(destination); q.Kind == "source" {
			own = addressIn(source)
		}
		z.Because = fmt.Sprintf("%s %s: %s", f.Where, f.Type, f.Changed)
	}
	return z, z.mark(own)
}

// addressIn takes the address out of one end of a packet: 11.11.11.2 id 7, 11.11.11.2:80.
func addressIn(end string) string {
	end, _, _ = strings.Cut(end, " ")
	end, _, _ = strings.Cut(end, ":")
	return end
}

// stopQuiz offers all places in the lab.
func (p *player) stopQuiz(ctx context.Context, answer *api.Answer) (*Quiz, error) {
	hosts, devices, err := p.people(ctx)
	if err != nil {
		return nil, err
	}
	if answer.Stop == nil {
		return nil, fmt.Errorf("it does not end: %s", answer.Sentence)
	}
	z := &Quiz{Choices: []string{"gateway"}, Because: answer.Stop.Sentence}
	for _, h := range hosts {
		z.Choices = append(z.Choices, h.Name)
	}
	for _, d := range devices {
		if d.Kind != api.KindLoopback && d.Kind != api.KindVeth {
			z.Choices = append(z.Choices, d.Name)
		}
	}
	return z, z.mark(answer.Stop.Where)
}

func (p *player) people(ctx context.Context) (hosts []api.Host, devices []api.Device, err error) {
	if err = p.lab.Get(ctx, "/v1/hosts", nil, &hosts); err == nil {
		err = p.lab.Get(ctx, "/v1/devices", nil, &devices)
	}
	return hosts, devices, err
}
