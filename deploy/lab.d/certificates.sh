# shellcheck shell=bash
# The lab's own authority and the certificates it signs: ECDSA P-256, ten years.

readonly CERTIFICATE_DAYS=3650

certificate_key()
{
	(umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "$1")
}

authority_create()
{
	local tls=$1

	certificate_key "$tls/ca.key"
	openssl req -x509 -new -sha256 -key "$tls/ca.key" -days "$CERTIFICATE_DAYS" -subj "/CN=Cleave lab authority" \
		-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
		-out "$tls/ca.crt"
}

# certificate_create TLS_DIR FILE_STEM COMMON_NAME ALT_NAMES
certificate_create()
{
	local tls=$1 stem=$2 name=$3 alternatives=$4

	certificate_key "$tls/$stem.key"
	openssl req -new -sha256 -key "$tls/$stem.key" -subj "/CN=$name" -out "$tls/$stem.csr"
	openssl x509 -req -sha256 -in "$tls/$stem.csr" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -days "$CERTIFICATE_DAYS" \
		-set_serial "0x$(openssl rand -hex 8)" -out "$tls/$stem.crt" -extfile <(certificate_extensions "$alternatives") \
		2>/dev/null
	rm "$tls/$stem.csr"
}

certificate_extensions()
{
	cat <<END
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=$1
END
}

# The names a process goes by inside: node-<id>, coordinator, tool. The one clients see is called https.
certificates_create()
{
	local tls=$LAB_DIR/tls
	local local_names=DNS:localhost,IP:127.0.0.1
	local name

	say "making the lab's certificates"
	authority_create "$tls"
	for name in $(node_names) coordinator tool; do
		certificate_create "$tls" "$name" "$name" "DNS:$name,$local_names"
	done
	certificate_create "$tls" https localhost "$local_names"
}
