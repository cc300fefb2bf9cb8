// Made by Tests/Interop/dynamodb/signing_vectors.py with botocore; not to be edited.

struct SigningVector: Sendable {
    let key, secret: String
    let token: String?
    let region, host, target, body: String
    let unixMilliseconds: Int64
    let authorization: String
}

let signingVectors: [SigningVector] = [
    SigningVector(
        key: #"AKIAJFIBX0EQFAY6BLSP"#, secret: #"4JYwvTAHtpwodC52M29GZAU2uj8I/W0eW+JvU5dW"#,
        token: nil,
        region: #"ap-southeast-2"#, host: #"localhost:4566"#, target: #"DynamoDB_20120810.GetItem"#,
        body: #""#,
        unixMilliseconds: 1545713544000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAJFIBX0EQFAY6BLSP/20181225/ap-southeast-2/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=944ffd0d8e7536d13bc1dd96084378cdd449d6b658c860c6cb03a15e699502bc"#
    ),
    SigningVector(
        key: #"AKIACYXGXXVTVVPIRSKY"#, secret: #"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"#,
        token:
            #"qY3+R8dlF2/gusDh2coHuVcSfMUU9Vyamhk34p5DRcEs4RT2995MjoNkiH2Ztu+W1hoxFrqaZSLKdxiODOsGOyNrWTSb5Ng8P717rXKU9GMk+ohK0DySXuv4"#,
        region: #"eu-central-1"#, host: #"dynamodb.eu-central-1.amazonaws.com"#, target: #"DynamoDB_20120810.GetItem"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "Us15Ozw7m1bdrZKUOrcuusIljCHsMtBR2Ebiu7a2B7CrT/YKy7wAuAeCacK/Zwrd7jWtz03vRVtZujRzPFovHnvgeJo4eGdGp5wheUihCwdTJNNYF7YMpxWAChRn2fC5f1Wh+Drpo/Ewdot3xyZLH/biI51cb5ANg+qZzNYwNioVfUjuzVD3mzYavIM1YqjE5XBbCdsp4BxiG6zfCx/PzawGjxF4gUL0Mbp"}"#,
        unixMilliseconds: 1487936692000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIACYXGXXVTVVPIRSKY/20170224/eu-central-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=9abbe2110bda67a428b8ace8d92919ed8edf62d88887559a03a0c0b9746b3ed5"#
    ),
    SigningVector(
        key: #"AKIAJS6ZFZ43XRUA4OTW"#, secret: #"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"#,
        token: nil,
        region: #"ap-southeast-2"#, host: #"localhost:4566"#, target: #"DynamoDB_20120810.GetItem"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "s+oqjmm6eE1rwcWbckSQkef9BNKRaxB7w1DnLoycj1l9lpsWNqLNKGCvU7jV6zgoVFQQmoWVpddZQzGt9qB6ld1BpeSiF+25r3pXfI4l58i/ZQUz1HhcTu"}"#,
        unixMilliseconds: 1709251199000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAJS6ZFZ43XRUA4OTW/20240229/ap-southeast-2/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=c4c667452a3ae3577f740b6b4db89df750a98de15003d2007a6e7d27b4db3b64"#
    ),
    SigningVector(
        key: #"AKIAHIEXEYIENMO4JTVM"#, secret: #"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"#,
        token: nil,
        region: #"ap-southeast-2"#, host: #"dynamodb.ap-southeast-2.amazonaws.com"#,
        target: #"DynamoDB_20120810.TransactWriteItems"#,
        body: #"{"TableName": "Zustände🦆", "x": "+veKilj3yw3/xwvnF9MNz7jue/r1DN1"}"#,
        unixMilliseconds: 1536452432000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAHIEXEYIENMO4JTVM/20180909/ap-southeast-2/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=86fc7aaaf6822146b1060387f720eb11613d251a0185533a374f4c667912ae40"#
    ),
    SigningVector(
        key: #"AKIAFLL5SLMHPURB8IOL"#, secret: #"6h64xNzyu3yXcrK2CshbKzrzNSXKLqsARs7dckBN"#,
        token:
            #"J79Ex1drj+Gu6qE1cGD+yjVG7peLbf6PSNciwJkIlSSfVY8BArG+RX6rRCEyAGPsdXanO7EeWxYRSyZSN5cmt6yCbcs0GEiP6wGcMKFqyGG9AnfsnPNq5qWN"#,
        region: #"ap-southeast-2"#, host: #"localhost:4566"#, target: #"DynamoDB_20120810.TransactWriteItems"#,
        body: #"{"TableName": "Zustände🦆", "x": "VEq4UGVBDyP0FlJ5Sd/gbAlosnFFrPUXyBVyokTXWswHUjeRITJ8"}"#,
        unixMilliseconds: 1483280729000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAFLL5SLMHPURB8IOL/20170101/ap-southeast-2/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=0ed445b548caada2e442916a4e43fe19e14f27904a4a69304bd9cc676786082b"#
    ),
    SigningVector(
        key: #"AKIATZSFE7K5BEOGS3XA"#, secret: #"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"#,
        token: nil,
        region: #"eu-central-1"#, host: #"localhost:4566"#, target: #"DynamoDB_20120810.GetItem"#,
        body: #"{"TableName": "Zustände🦆", "x": "EzxNYk2MrjO7FV47WRSu20l"}"#,
        unixMilliseconds: 1530998737000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIATZSFE7K5BEOGS3XA/20180707/eu-central-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=f751b9d0926cc2ee8b74a0f1d0854b0c86ec84b24d57803cc62255e2bca4294d"#
    ),
    SigningVector(
        key: #"AKIAM5DSBB0K4TNZNGCB"#, secret: #"pjtRwVYbh9lz25Yf/wiBq4Z+DkhA2EuqnjHbpSmu"#,
        token: nil,
        region: #"eu-central-1"#, host: #"dynamodb.eu-central-1.amazonaws.com"#,
        target: #"DynamoDB_20120810.TransactWriteItems"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "xDu2rGE238f5mmpR1TLPV8WB3QRguWqCpjmRm0cTbyHN9dRvO3zEL6R1XyGqiozbayGqYguRALXHqURZ85zhaegrgNbpSfduivZsqLSjRSLolYvztWgD/V6qWy5bYnkrkQmMk8G33GVdHsMzBA4Dl/Cb6TQ91jxt"}"#,
        unixMilliseconds: 1470407053000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAM5DSBB0K4TNZNGCB/20160805/eu-central-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=b1119e023953840b3b684529495f9f1a2d263871cb8b5a0a2463aecab54674c8"#
    ),
    SigningVector(
        key: #"AKIATC29XLS8ZZEAJUVK"#, secret: #"sYZhfk9Y1MFi/K/FS+rnwJxivVoakxu8Z7N4x8Vv"#,
        token:
            #"xeYQihX8Qxv0aXsE07zIuSWxLXxsDvuV60hLWC2QRfOPNCFrUURyjhYVgZffZbA3qIJUUldUHprOoppmiTIVzjwXJ4uCMqRJXOAThKQ+BK2ZHeXvtTTYc+Xf"#,
        region: #"eu-central-1"#, host: #"dynamodb.eu-central-1.amazonaws.com"#,
        target: #"DynamoDB_20120810.TransactWriteItems"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "fKwZvRTO9ivrm5cu95u7+zI8u7C/gl1UsMz18bAcb8ylpAjuS/q1FnRn3hYDmBOnGANwF3a1XXceX0iivJDGXAJYpr8G59IUTf+iWuy6S/P8FA1a0zeUYjlFV0ezIDs/v1qk5cRX23wg5Jm01SShQDIWloTpgJDZLyB9wWz87j5zbLsH6B9tk"}"#,
        unixMilliseconds: 1727244200000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIATC29XLS8ZZEAJUVK/20240925/eu-central-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=fbafd2a592b965fb74d3dcad560dc0e498874305b4a49a48d735814c8044b326"#
    ),
    SigningVector(
        key: #"AKIAEYKHSP7LD17QVMHV"#, secret: #"8BsEKJ0ZiCc8Kaz2wuSgH/OCHV5qg9nrH7O3mdyi"#,
        token: nil,
        region: #"ap-southeast-2"#, host: #"dynamodb.ap-southeast-2.amazonaws.com"#,
        target: #"DynamoDB_20120810.PutItem"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "9/jBAPa695/um6YnDgOWoxpvsWfAFjyBcQ1A1xZdsR3xJ/s7vRF0YX9G/YOhbBYpPw1UgSZAZoZ3fdAdGeTth802zlbcsUVxl6BAtXNB+H8T/e4LV3bWX50rBiJ9OLk+P5buFP7w0cDWdSMtSWv"}"#,
        unixMilliseconds: 1798218895000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAEYKHSP7LD17QVMHV/20261225/ap-southeast-2/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=22c5a7c267abe37b5e78ab761e7020570269a9724548baac1a21ddb580551d32"#
    ),
    SigningVector(
        key: #"AKIAHTVXJJMPOFSZIOKX"#, secret: #"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"#,
        token: nil,
        region: #"eu-central-1"#, host: #"localhost:4566"#, target: #"DynamoDB_20120810.TransactWriteItems"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "xfwWUQc46LLHdVU24CeBv9bXKxgs+PRwR0MKuPvAN5LiX3kAG+VlKjk95TVr+m/B1Kxsh1QCbEm0A6vHwh65VCBsB85ZFvl16EOxtTjSHHKXGB+q7x2l765wMl/QEJWQRXJL88FN0tleEnObXRULOAFmDcwFC3793ebpqshJDFiGglSs8G+DDDbZslnMHB+LECTJHkzu9he"}"#,
        unixMilliseconds: 1645602667000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAHTVXJJMPOFSZIOKX/20220223/eu-central-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=766201c135ecddd9d0300b50e150a8b1c4ce07cd944398e50ef4a81a2f5e5daa"#
    ),
    SigningVector(
        key: #"AKIAC3ZWXAMIVM0SUXEL"#, secret: #"aOTMZU8ixOMWNB3wEapMgQ0Dn8F45DaO+AcMU+x+"#,
        token:
            #"9xiUImNwYSMsF/0CwgMHUqpIr2AE1jxMsbL4mLRAuX8jkRxujEdjhDQJlQpeOjdwWB4PUl9QWEhHTqYs+O3QwlL1kBKqrk42grCdJfCT+sLPBcmW0FOAlO3o"#,
        region: #"us-east-1"#, host: #"dynamodb.us-east-1.amazonaws.com"#,
        target: #"DynamoDB_20120810.TransactWriteItems"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "EsS6sP4JKf7tsdoZcG+p7ZZNAW3zYXXOH0ygHDEbYQ1Wrb1r7jXFZa466mXWlSZzCCoyzmSWrs6UwQqGtkFnX9x4+jQJTpL4YVQUa4EIhRXuxfEMw0OOXB/Ctuw5vqI6W+ec6r"}"#,
        unixMilliseconds: 1554688976000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIAC3ZWXAMIVM0SUXEL/20190408/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=09f60e9a2fa3433115aee10a53e4749d6350c84b5b1f2b0a9449fe1de7b24933"#
    ),
    SigningVector(
        key: #"AKIA3S2FXLHBMJWZQKQ8"#, secret: #"BZsALU+lJhveuqG0XcTVSNVA/1oLYMji6syY5TCK"#,
        token: nil,
        region: #"ap-southeast-2"#, host: #"127.0.0.1:8000"#, target: #"DynamoDB_20120810.TransactWriteItems"#,
        body:
            #"{"TableName": "Zustände🦆", "x": "qc8rI+Py3v+bzRcEUZ0GP6nHf+CSrK+5AL5FgX/DGowmz44j0rpVO97YlDOdYi5FPzry10Q08/8qKsBWGp/xDRUVPG5mAzpmlMogMQg8ky6viNezmw7LaH3CJIKPM1lSf7RyzvgSExKEu9ZGI9b5q5zAdV+K7QVz258jjRUjrlIIctxg8f1pBV6lPc/phWm5QGhB33cq54Fwmgy6IAiLc0MT5l//Tk"}"#,
        unixMilliseconds: 1487782589000,
        authorization:
            #"AWS4-HMAC-SHA256 Credential=AKIA3S2FXLHBMJWZQKQ8/20170222/ap-southeast-2/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=5f85befae487b2279b8fd475d90616eac51793e6ca165b74438ba7c58151e4c7"#
    ),
]
