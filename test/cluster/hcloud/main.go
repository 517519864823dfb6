// Lists servers with the public Go client, as a judge of the fake that the tests have in place of the real API.
// usage: hcloud-read ENDPOINT SELECTOR (the token is in HCLOUD_TOKEN); prints {"servers": [...]} or {"error": {...}}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

type server struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Status      string `json:"status"`
	IPv4        string `json:"ipv4"`
	IPv4Blocked bool   `json:"ipv4Blocked"`
	IPv6        string `json:"ipv6"`
}

type failure struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
}

type answer struct {
	Servers []server `json:"servers"`
	Error   *failure `json:"error,omitempty"`
}

func main() {
	client := hcloud.NewClient(
		hcloud.WithEndpoint(os.Args[1]),
		hcloud.WithToken(os.Getenv("HCLOUD_TOKEN")),
		hcloud.WithRetryOpts(hcloud.RetryOpts{MaxRetries: 0, BackoffFunc: hcloud.ConstantBackoff(0)}),
	)
	options := hcloud.ServerListOpts{ListOpts: hcloud.ListOpts{LabelSelector: os.Args[2]}, Sort: []string{"id:asc"}}
	found, err := client.Server.AllWithOpts(context.Background(), options)
	if err := json.NewEncoder(os.Stdout).Encode(toAnswer(found, err)); err != nil {
		os.Exit(1)
	}
}

func toAnswer(found []*hcloud.Server, err error) answer {
	if err != nil {
		var apiError hcloud.Error
		if !errors.As(err, &apiError) {
			return answer{Error: &failure{Code: "bad_answer"}}
		}
		status := 0
		if apiError.Response() != nil {
			status = apiError.Response().StatusCode
		}
		return answer{Error: &failure{Code: string(apiError.Code), Status: status}}
	}
	servers := []server{}
	for _, one := range found {
		servers = append(servers, toServer(one))
	}
	return answer{Servers: servers}
}

func toServer(one *hcloud.Server) server {
	net := one.PublicNet
	shown := server{ID: one.ID, Name: one.Name, Status: string(one.Status), IPv4Blocked: net.IPv4.Blocked}
	if !net.IPv4.IsUnspecified() {
		shown.IPv4 = net.IPv4.IP.String()
	}
	if !net.IPv6.IsUnspecified() {
		ones, _ := net.IPv6.Network.Mask.Size()
		shown.IPv6 = net.IPv6.IP.String() + "/" + strconv.Itoa(ones)
	}
	return shown
}
