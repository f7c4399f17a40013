# openssl: digests, ciphers, keys, signatures and a certificate
seq 1 200000 > plain
openssl dgst -sha256 plain; openssl dgst -sha3-512 plain | cut -c1-60
openssl enc -aes-256-ctr -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 000102030405060708090a0b0c0d0e0f -in plain -out cipher && openssl dgst -md5 cipher
openssl enc -d -aes-256-ctr -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 000102030405060708090a0b0c0d0e0f -in cipher | cmp - plain && echo "decrypted equal"
openssl enc -chacha20 -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 000102030405060708090a0b0c0d0e0f -in plain | openssl dgst -sha1
openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out pub.pem && openssl pkeyutl -sign -rawin -inkey key.pem -in pub.pem -out sig && openssl pkeyutl -verify -rawin -pubin -inkey pub.pem -in pub.pem -sigfile sig
openssl genrsa -out rsa.pem 1024 2> /dev/null && openssl req -x509 -new -key rsa.pem -subj /CN=lodge -days 2 -out cert.pem && openssl x509 -in cert.pem -noout -subject
openssl ecparam -name prime256v1 -genkey -noout -out ec.pem && openssl dgst -sha256 -sign ec.pem -out ec.sig plain && openssl ec -in ec.pem -pubout -out ecpub.pem 2> /dev/null && openssl dgst -sha256 -verify ecpub.pem -signature ec.sig plain
