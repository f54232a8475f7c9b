package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/step"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newExplain() *cobra.Command {
	send := false
	c := questionOf("explain", "Say what would become of a packet, step by step, without sending it",
		`The packet takes the same way as a real one would, on a copy of everything that the switch and the gateway know; then
its answer takes the way back. Nothing is sent, and nothing in the lab changes.

With --send, a real packet follows: from inside the host, by an ordinary socket, so that the host's own routes, rules and
neighbours decide. It is told what became of it, and where that is not what was predicted.`,
		func(ctx context.Context, lab *api.Client, q api.Question) (any, func() error, error) {
			query := url.Values{}
			if send {
				query.Set("send", "1")
			}
			a := new(api.Answer)
			err := lab.Do(ctx, http.MethodPost, "/v1/explain", query, q, a)
			return a, func() error { return view.Answer(os.Stdout, a) }, err
		})
	c.Flags().BoolVar(&send, "send", false, "then send a real packet from inside HOST, and compare")
	return explainPacket(c)
}

// explained is what happened to a packet, and what would happen to it now.
type explained struct {
	Happened []api.Step  `json:"happened"`
	Note     string      `json:"note,omitempty"`
	Now      *api.Answer `json:"now"`
}

// explainPacket adds the question about a packet that came by.
func explainPacket(c *cobra.Command) *cobra.Command {
	packet := c.Flags().Uint64("packet", 0, "ask about packet `NUMBER` of the trace: what happened to it, and what would happen now")
	ask := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if *packet == 0 {
			return ask(c, args)
		}
		if len(args) > 0 || c.Flags().Changed("tcp") || c.Flags().Changed("udp") || c.Flags().Changed("from") || c.Flags().Changed("send") {
			return usageError{words.Errorf("--packet: the packet says who asks whom for what")}
		}
		name, _ := c.Flags().GetString("lab")
		lab, err := findLab(name)
		if err != nil {
			return err
		}
		var e explained
		if e.Happened, err = step.Remembered(c.Context(), lab, *packet); err != nil {
			return err
		}
		q, note, err := step.QuestionOf(c.Context(), lab, e.Happened)
		if err != nil {
			return err
		}
		e.Note = note
		if err := lab.Do(c.Context(), http.MethodPost, "/v1/explain", nil, q, &e.Now); err != nil {
			return err
		}
		format, _ := c.Flags().GetString("output")
		return show(format, e, func() error {
			if err := step.Story(os.Stdout, e.Happened); err != nil {
				return err
			}
			if note != "" {
				note = " " + note + "."
			}
			fmt.Printf("\nWhat would happen now.%s\n\n", note)
			return view.Answer(os.Stdout, e.Now)
		})
	}
	return c
}

// questionOf makes a command that puts one question to the lab; write is the answer for a person.
func questionOf(name, short, long string,
	put func(context.Context, *api.Client, api.Question) (answer any, write func() error, err error)) *cobra.Command {
	c := &cobra.Command{
		Use:   name + " HOST DESTINATION",
		Short: short,
		Long: short + ".\n\n" + long + `

HOST is who asks: a host of the lab, gateway (the machine that it is, also called host), or outside. DESTINATION is an address, a host, or gateway; somebody outside asks
for the gateway unless told otherwise: outside gateway --tcp 8080 is what the world does with a published port.`,
		Example: "  uswitch " + name + " RED 8.8.8.8",
		GroupID: groupLook, Args: usage(cobra.RangeArgs(0, 2)), ValidArgsFunction: completeHosts,
	}
	var q api.Question
	var tcp, udp uint16
	c.Flags().Uint16Var(&tcp, "tcp", 0, "ask by TCP for `PORT`")
	c.Flags().Uint16Var(&udp, "udp", 0, "ask by UDP for `PORT`")
	c.Flags().Bool("icmp", true, "ping; so does the command by itself")
	c.Flags().StringVar(&q.From, "from", "", "who asks: a `HOST`, or outside; instead of the first argument")
	c.Flags().Uint16Var(&q.FromPort, "from-port", 0, "ask by TCP or UDP from `PORT` (0: any)")
	c.Flags().IntVar(&q.Size, "size", 0, "`BYTES` of data in the ping (0: 56)")
	c.Flags().BoolVar(&q.DontFragment, "df", false, "the ping may not be cut on the way (ping -M do)")
	c.MarkFlagsMutuallyExclusive("tcp", "udp", "icmp")
	format := output(c)
	return onLab(c, func(ctx context.Context, lab *api.Client, args []string) error {
		if err := readQuestion(&q, args, tcp, udp); err != nil {
			return usageError{err}
		}
		answer, write, err := put(ctx, lab, q)
		if err != nil {
			return err
		}
		return show(*format, answer, write)
	})
}

// readQuestion puts a question together.
func readQuestion(q *api.Question, args []string, tcp, udp uint16) error {
	if q.From == "" && len(args) > 0 {
		q.From, args = args[0], args[1:]
	}
	switch {
	case q.From == "":
		return words.Errorf("want who asks, as in: RED 8.8.8.8")
	case len(args) > 1:
		return words.Errorf("%q: want one destination", args[1])
	case len(args) == 1:
		q.To = args[0]
	case q.From == api.Outsider:
		q.To = "gateway"
	default:
		return words.Errorf("want what %s asks for, as in: %s 8.8.8.8", q.From, q.From)
	}
	q.Protocol, q.Port = "icmp", 0
	if tcp != 0 {
		q.Protocol, q.Port = "tcp", tcp
	} else if udp != 0 {
		q.Protocol, q.Port = "udp", udp
	}
	return nil
}

func newWhyNot() *cobra.Command {
	return questionOf("why-not", "Say what keeps a packet from being answered, and the commands that would let it pass",
		`It follows the question's way out and the answer's way back. Every command was tried on a copy of the lab before it is
proposed; it is up to you to type it.`,
		func(ctx context.Context, lab *api.Client, q api.Question) (any, func() error, error) {
			a := new(api.Advice)
			err := lab.Do(ctx, http.MethodPost, "/v1/why-not", nil, q, a)
			return a, func() error { return view.Advice(os.Stdout, a) }, err
		})
}

func newReach() *cobra.Command {
	c := &cobra.Command{
		Use:   "reach",
		Short: "Say who reaches whom, and for each no its reason",
		Long: `Say who reaches whom, and for each no its reason. Every host pings every other, the gateway and the outside, and tries
every port on which somebody listens or that is published; so does somebody outside. All of it is predicted on copies of the
lab; then a real packet for each question is sent from inside the host that asks it, and that decides. "!" stands where it
contradicts the prediction. With --no-send nothing is sent.`,
		Example: "  uswitch reach -o svg",
		GroupID: groupLook, Args: usage(cobra.NoArgs),
	}
	formats := []string{"text", "json", "svg", "html"}
	format := c.Flags().StringP("output", "o", "text", "print `text, json, svg or html`")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	outside := c.Flags().String("outside", "8.8.8.8", "the `ADDRESS` outside that hosts try to ping")
	noSend := c.Flags().Bool("no-send", false, "only predict: send nothing, change nothing in the lab")
	return onLab(c, func(ctx context.Context, lab *api.Client, _ []string) error {
		a, err := netip.ParseAddr(*outside)
		if err != nil || !a.Is4() {
			return usageError{words.Errorf("--outside %s: want an IPv4 address", *outside)}
		}
		m := new(api.Matrix)
		write := map[string]func() error{
			"text": func() error { return view.Matrix(os.Stdout, m) },
			"json": func() error { return view.JSON(os.Stdout, m) },
			"svg":  func() error { return view.MatrixSVG(os.Stdout, m) },
			"html": func() error { return view.MatrixHTML(os.Stdout, m) },
		}[*format]
		if write == nil {
			return usageError{words.Errorf("-o %s: want text, json, svg or html", *format)}
		}
		if err := lab.Get(ctx, "/v1/reach", api.ReachQuery{Outside: a, Send: !*noSend}.Query(), m); err != nil {
			return err
		}
		return write()
	})
}
